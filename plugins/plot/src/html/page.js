// The page of `itch plot --renderer html`: draws the data in the page and loads nothing else.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const theme = data.theme;
  const main = document.querySelector('main');
  const canvas = document.getElementById('chart');
  const hover = document.getElementById('hover');
  const context = canvas.getContext('2d');
  document.body.style.background = hover.style.background = theme.background;
  document.body.style.color = theme.text;
  document.querySelector('h1').textContent = data.title;

  function bytes(text) {
    const raw = atob(text), found = new Uint8Array(raw.length);
    for (let place = 0; place < raw.length; place++) found[place] = raw.charCodeAt(place);
    return found;
  }
  // Decodes a column of exact numbers: doubles, or multiples of `1 / parts` relative to the smallest number.
  function numbers(column) {
    const raw = bytes(column.data), width = column.bytes;
    if (width === 8) return new Float64Array(raw.buffer);
    const found = new Float64Array(raw.length / width);
    for (let row = 0, at = 0; row < found.length; row++, at += width) {
      let above = 0;
      for (let byte = width - 1; byte >= 0; byte--) above = above * 256 + raw[at + byte];
      found[row] = (column.least + above) / column.parts;
    }
    return found;
  }

  // Axes: the coordinate of a value is the value itself or its logarithm. The difference of the largest numbers would
  // overflow to infinity, so these are scaled down by a power of two.
  function prepared(axis) {
    if (!axes.knows(axis.zone)) {
      axis.label += ' (shown in UTC: this browser does not know the zone)';
      axis.zone = 'UTC';
    }
    const log = axis.scale === 'log', unit = !log && Math.max(Math.abs(axis.min), Math.abs(axis.max)) > 1e300 ? 2 ** -16 : 1;
    const of = value => log ? Math.log10(value) : value * unit;
    const back = place => log ? 10 ** place : place / unit;
    const all = values => log || unit !== 1 ? values.map(of) : values;
    return { ...axis, of, back, all, low: of(axis.min), high: of(axis.max) };
  }
  const x = prepared(data.x), y = prepared(data.y), y2 = data.y2 && prepared(data.y2);
  function layer(found, upright) {
    if (!found) return found;
    const columns = { x: numbers(found.x), y: numbers(found.y) };
    return { ...found, upright, ...columns, across: x.all(columns.x), up: upright.all(columns.y) };
  }
  const points = layer(data.points, y);
  if (points) points.shade &&= bytes(points.shade);
  const line = layer(data.line, data.line && data.line.right ? y2 : y);
  const shown = { bands: true, points: true, line: true };

  // The visible part of each axis, in its coordinates. The right axis shows the same share as the left one.
  const view = { x0: x.low, x1: x.high, y0: y.low, y1: y.high };
  const inView = axis => {
    if (axis === x) return [view.x0, view.x1];
    if (axis === y) return [view.y0, view.y1];
    const at = place => axis.low + (place - y.low) / (y.high - y.low) * (axis.high - axis.low);
    return [at(view.y0), at(view.y1)];
  };

  // Denser dots are drawn over less dense ones.
  let order = null;
  if (points && points.shade) {
    const starts = new Uint32Array(257);
    for (const shade of points.shade) starts[shade + 1]++;
    for (let shade = 0; shade < 256; shade++) starts[shade + 1] += starts[shade];
    order = new Uint32Array(points.count);
    points.shade.forEach((shade, row) => { order[starts[shade]++] = row; });
  }

  // Positions.
  let area = { left: 0, top: 0, width: 1, height: 1 };
  let ratio = 1;
  const across = place => area.left + (place - view.x0) / (view.x1 - view.x0) * area.width;
  const down = place => area.top + area.height - (place - view.y0) / (view.y1 - view.y0) * area.height;
  const letter = 7.5;
  function ticksOf(axis, length) {
    const [from, to] = inView(axis);
    const share = value => (axis.of(value) - from) / (to - from);
    const room = { length, beside: axis === x, character: letter, line: 16, width: text => context.measureText(text).width };
    const found = axes.ticks(axis, axis.back(from), axis.back(to), share, room);
    return found.map(tick => ({ ...tick, share: share(tick.at) }));
  }

  function resize() {
    ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(main.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(main.clientHeight * ratio));
    draw();
  }

  function draw() {
    const started = performance.now();
    const width = main.clientWidth, height = main.clientHeight;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = '13px system-ui, sans-serif';
    context.fillStyle = theme.background;
    context.fillRect(0, 0, width, height);
    const high = Math.max(10, height - (x.kind === 'time' ? 78 : 62));
    const yTicks = ticksOf(y, high), y2Ticks = y2 ? ticksOf(y2, high) : [];
    const widest = ticks => Math.ceil(Math.max(0, ...ticks.map(tick => context.measureText(tick.label).width)));
    const left = widest(yTicks) + 42, bar = data.colors ? 110 : 0;
    const right = (y2 ? widest(y2Ticks) + 38 : 24) + bar;
    area = { left, top: 8, width: Math.max(10, width - left - right), height: high };
    const xTicks = ticksOf(x, area.width);
    const bottom = area.top + area.height;
    const tickX = tick => area.left + tick.share * area.width, tickY = tick => bottom - tick.share * area.height;

    context.lineWidth = 1;
    context.strokeStyle = theme.grid;
    context.setLineDash([1, 2]);
    context.beginPath();
    for (const tick of xTicks) { const at = Math.round(tickX(tick)) + .5; context.moveTo(at, area.top); context.lineTo(at, bottom); }
    for (const tick of yTicks) { const at = Math.round(tickY(tick)) + .5; context.moveTo(area.left, at); context.lineTo(area.left + area.width, at); }
    context.stroke();
    context.setLineDash([]);

    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    if (data.bands && shown.bands) {
      context.fillStyle = theme.bands;
      const within = value => Math.min(area.left + area.width + 4, Math.max(area.left - 4, across(x.of(value))));
      data.bands.from.forEach((from, row) => {
        const start = within(from);
        context.fillRect(start, area.top, Math.max(1, within(data.bands.to[row]) - start), area.height);
      });
    }
    if (line && shown.line) trace(true);
    if (points && shown.points) points.count > data.single ? drawCounts() : drawDots();
    if (line && shown.line) trace(false);
    context.restore();

    context.strokeStyle = context.fillStyle = theme.text;
    context.strokeRect(area.left + .5, area.top + .5, area.width - 1, area.height - 1);
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const tick of yTicks) context.fillText(tick.label, area.left - 7, tickY(tick));
    context.textAlign = 'left';
    for (const tick of y2Ticks) context.fillText(tick.label, area.left + area.width + 7, tickY(tick));
    context.textAlign = 'center';
    for (const tick of xTicks) {
      context.fillText(tick.label, tickX(tick), bottom + 14);
      context.fillText(tick.below, tickX(tick), bottom + 30);
    }
    context.fillText(x.label, area.left + area.width / 2, height - 14);
    turned(y.label, 14);
    if (y2) turned(y2.label, area.left + area.width + widest(y2Ticks) + 24);
    if (data.colors) colorBar(width - 84);
    document.body.dataset.drawn = (performance.now() - started).toFixed(1);
    // The state of the page as attributes, for tests and other programs.
    const shares = (axis, low, high) => [low, high].map(place => (place - axis.low) / (axis.high - axis.low));
    document.body.dataset.view = [...shares(x, view.x0, view.x1), ...shares(y, view.y0, view.y1)].join(' ');
    document.body.dataset.area = [area.left, area.top, area.width, area.height].join(' ');
    const labels = ticks => ticks.map(tick => tick.below ? `${tick.label} ${tick.below}` : tick.label).join(' | ');
    document.body.dataset.x = labels(xTicks);
    document.body.dataset.y = labels(yTicks);
    document.body.dataset.right = labels(y2Ticks);
  }

  function turned(text, x) {
    context.save();
    context.translate(x, area.top + area.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = 'center';
    context.fillText(text, 0, 0);
    context.restore();
  }

  function colorBar(x) {
    const step = area.height / 256;
    data.colors.forEach((color, shade) => {
      context.fillStyle = color;
      context.fillRect(x, Math.floor(area.top + area.height - (shade + 1) * step), 14, Math.ceil(step) + 1);
    });
    context.fillStyle = theme.text;
    context.textAlign = 'left';
    for (const tick of data.bar.ticks) context.fillText(tick.label, x + 18, area.top + area.height * (1 - tick.at));
    turned(data.bar.label, x + 70);
  }

  // The points of the line in the coordinates of its axes, clipped a little outside the view: a canvas stores positions
  // as 32-bit floats, which are not precise enough far outside.
  function cut() {
    const margin = ([low, high]) => [low - (high - low) * .05, high + (high - low) * .05];
    const [left, right] = margin(inView(x)), [low, high] = margin(inView(line.upright));
    const corners = [], held = up => Math.min(high, Math.max(low, up));
    for (let row = 1; row < line.across.length; row++) {
      const from = line.across[row - 1], to = line.across[row];
      if (to < left) continue;
      if (from > right) break;
      const start = line.up[row - 1], rise = line.up[row] - start, run = to - from;
      const upAt = at => run > 0 ? start + rise * ((at - from) / run) : start;
      const edges = [low, high].filter(edge => edge > Math.min(start, start + rise) && edge < Math.max(start, start + rise))
        .map(edge => [from + run * ((edge - start) / rise), edge]).sort((one, other) => one[0] - other[0]);
      if (from < left) corners.push([left, held(upAt(left))]);
      else if (!corners.length) corners.push([from, held(start)]);
      for (const edge of edges) if (edge[0] >= left && edge[0] <= right) corners.push(edge);
      corners.push(to > right ? [right, held(upAt(right))] : [to, held(start + rise)]);
    }
    return corners;
  }

  function trace(wash) {
    const [low, high] = inView(line.upright), corners = cut();
    if (!corners.length) return;
    const downAt = up => area.top + area.height - (up - low) / (high - low) * area.height;
    context.beginPath();
    corners.forEach(([at, up], place) => place ? context.lineTo(across(at), downAt(up)) : context.moveTo(across(at), downAt(up)));
    if (wash) {
      // Fills down to the start of the axis, or to the edge of the view.
      const ground = Math.min(area.top + area.height + 4, Math.max(area.top - 4, downAt(line.upright.low)));
      context.lineTo(across(corners[corners.length - 1][0]), ground);
      context.lineTo(across(corners[0][0]), ground);
      context.fillStyle = theme.wash;
      context.fill();
    } else {
      context.strokeStyle = theme.line;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }

  const colorOf = row => points.shade ? data.colors[points.shade[row]] : theme.dots;
  function drawDots() {
    const radius = Math.max(1.2, points.radius);
    context.globalAlpha = points.opacity;
    let color = null;
    for (let place = 0; place < points.count; place++) {
      const row = order ? order[place] : place;
      const left = across(points.across[row]), top = down(points.up[row]);
      if (left < area.left - 4 || left > area.left + area.width + 4 || top < area.top - 4 || top > area.top + area.height + 4) continue;
      const next = colorOf(row);
      // One path per colour. Without shades, one path per dot, so that a crowd looks denser.
      if (next !== color || !points.shade) {
        if (color) context.fill();
        context.beginPath();
        context.fillStyle = color = next;
      }
      context.moveTo(left + radius, top);
      context.arc(left, top, radius, 0, 7);
    }
    if (color) context.fill();
    context.globalAlpha = 1;
  }

  function drawCounts() {
    const width = Math.round(area.width * ratio), height = Math.round(area.height * ratio);
    const count = new Uint32Array(width * height), shade = points.shade && new Uint8Array(width * height);
    const xFactor = width / (view.x1 - view.x0), yFactor = height / (view.y1 - view.y0);
    let most = 1;
    for (let row = 0; row < points.count; row++) {
      const column = Math.floor((points.across[row] - view.x0) * xFactor), up = Math.floor((points.up[row] - view.y0) * yFactor);
      if (column < 0 || up < 0 || column >= width || up >= height) continue;
      const cell = (height - 1 - up) * width + column;
      if (++count[cell] > most) most = count[cell];
      if (shade && points.shade[row] > shade[cell]) shade[cell] = points.shade[row];
    }
    const picture = new ImageData(width, height), pixels = new Uint32Array(picture.data.buffer);
    const rgb = text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
    const pack = ([red, green, blue], alpha) => (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
    const colors = shade ? data.colors.map(color => pack(rgb(color), 255)) : null;
    const dots = rgb(theme.dots), best = new Uint8Array(width * height);
    for (let cell = 0, column = 0; cell < count.length; cell++, column = (column + 1) % width) {
      if (!count[cell]) continue;
      // A single dot is visible, and a crowd is brighter.
      const rank = shade ? shade[cell] : Math.round(90 + 165 * Math.log(count[cell]) / Math.log(most + 1));
      const paint = shade ? colors[rank] : pack(dots, rank);
      for (let dy = 0; dy < 2; dy++) for (let dx = 0; dx < 2; dx++) {
        const near = cell + dy * width + dx;
        if (column + dx < width && near < pixels.length && best[near] <= rank) { best[near] = rank; pixels[near] = paint; }
      }
    }
    const layer = document.createElement('canvas');
    layer.width = width; layer.height = height;
    layer.getContext('2d').putImageData(picture, 0, 0);
    context.drawImage(layer, area.left, area.top, area.width, area.height);
  }

  // User input.
  let asked = false;
  function redraw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }
  const inside = event => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  // Limits of zooming: out until all data are one dot, in until single floating-point numbers are visible.
  const FURTHEST = 10;
  const nearest = (axis, low, high) => Math.max(256 * Number.EPSILON * Math.max(Math.abs(low), Math.abs(high)),
    axis.kind === 'time' ? 1e-4 : 1e-17 * (axis.high - axis.low));
  // Limits panning so that the data stay reachable.
  function keep(axis, low, high) {
    const whole = axis.high - axis.low, size = view[high] - view[low];
    const start = Math.min(axis.high + FURTHEST * whole - size, Math.max(axis.low - FURTHEST * whole, view[low]));
    if (start !== view[low]) { view[low] = start; view[high] = start + size; }
  }
  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    hover.textContent = '';
    const at = inside(event), factor = Math.exp((event.deltaY || event.deltaX) * .0015);
    const zoom = (axis, low, high, share) => {
      const size = view[high] - view[low], middle = view[low] + size * share;
      const next = Math.min(FURTHEST * (axis.high - axis.low), Math.max(nearest(axis, view[low], view[high]), size * factor));
      // At the limit of zooming, nothing is moved either.
      if (factor < 1 ? next >= size : next <= size) return;
      view[low] = middle - (middle - view[low]) * (next / size);
      view[high] = view[low] + next;
      keep(axis, low, high);
    };
    if (!event.altKey) zoom(x, 'x0', 'x1', (at.x - area.left) / area.width);
    if (!event.shiftKey) zoom(y, 'y0', 'y1', 1 - (at.y - area.top) / area.height);
    redraw();
  }, { passive: false });
  let dragged = null;
  canvas.addEventListener('pointerdown', event => {
    if (event.button) return;
    dragged = { ...inside(event), view: { ...view } };
    try { canvas.setPointerCapture(event.pointerId); } catch { /* The pointer is already gone. */ }
  });
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { dragged = null; });
  canvas.addEventListener('pointermove', event => {
    const at = inside(event);
    if (!dragged) return tell(at);
    hover.textContent = '';
    const from = dragged.view;
    const left = (dragged.x - at.x) / area.width * (from.x1 - from.x0);
    const up = (at.y - dragged.y) / area.height * (from.y1 - from.y0);
    Object.assign(view, { x0: from.x0 + left, x1: from.x1 + left, y0: from.y0 + up, y1: from.y1 + up });
    keep(x, 'x0', 'x1');
    keep(y, 'y0', 'y1');
    redraw();
  });
  canvas.addEventListener('pointerleave', () => { hover.textContent = ''; });
  const reset = () => { Object.assign(view, { x0: x.low, x1: x.high, y0: y.low, y1: y.high }); redraw(); };
  canvas.addEventListener('dblclick', reset);
  document.getElementById('reset').addEventListener('click', reset);

  function tell(at) {
    hover.textContent = '';
    if (!points || !shown.points || at.x < area.left || at.x > area.left + area.width) return;
    let found = -1, distance = 64;
    for (let row = 0; row < points.count; row++) {
      const dx = across(points.across[row]) - at.x;
      if (dx > 8 || dx < -8) continue;
      const dy = down(points.up[row]) - at.y, far = dx * dx + dy * dy;
      if (far <= distance) { distance = far; found = row; }
    }
    if (found < 0) return;
    const lines = points.names && points.names[found] ? [points.names[found]] : [];
    lines.push(`${x.label}: ${axes.written(x, points.x[found])}`);
    lines.push(`${y.label}: ${axes.written(y, points.y[found])}`);
    hover.textContent = lines.join('\n');
    hover.style.left = Math.min(at.x + 14, main.clientWidth - hover.offsetWidth - 4) + 'px';
    hover.style.top = Math.max(4, at.y - hover.offsetHeight - 10) + 'px';
  }

  const legend = document.getElementById('legend');
  const entries = [['bands', data.bands, theme.bands], ['points', points, points && points.shade ? data.colors[140] : theme.dots],
    ['line', line, theme.line]];
  for (const [name, layer, color] of entries) {
    if (!layer) continue;
    const button = document.createElement('button');
    const mark = document.createElement('i');
    mark.style.background = color;
    button.append(mark, layer.label || name);
    button.dataset.layer = name;
    button.setAttribute('aria-pressed', 'true');
    button.addEventListener('click', () => {
      shown[name] = !shown[name];
      button.setAttribute('aria-pressed', String(shown[name]));
      redraw();
    });
    legend.append(button);
  }
  window.addEventListener('resize', resize);
  resize();
  document.body.dataset.points = points ? points.count : 0;
  document.body.dataset.ready = 'true';
})();
