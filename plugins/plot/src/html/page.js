// The page of `itch plot --renderer html`: draws the data that stand in the page, and nothing else.
'use strict';
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

  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const places = text => new Uint32Array(bytes(text).buffer);
  const FULL = 4294967295;
  const points = data.points && { ...data.points, x: places(data.points.x), y: places(data.points.y),
    shade: data.points.shade && bytes(data.points.shade) };
  const line = data.line && { ...data.line, x: places(data.line.x), y: places(data.line.y) };
  const shown = { bands: true, points: true, line: true };
  // The part of each axis that is in view: from 0 to 1 is everything.
  const view = { x0: 0, x1: 1, y0: 0, y1: 1 };

  // Denser dots go over thinner ones.
  let order = null;
  if (points && points.shade) {
    const starts = new Uint32Array(257);
    for (const shade of points.shade) starts[shade + 1]++;
    for (let shade = 0; shade < 256; shade++) starts[shade + 1] += starts[shade];
    order = new Uint32Array(points.count);
    points.shade.forEach((shade, row) => { order[starts[shade]++] = row; });
  }

  // Axes.
  const scaled = (axis, value) => axis.scale === 'log' ? Math.log10(value) : value;
  const share = (axis, value) =>
    (scaled(axis, value) - scaled(axis, axis.min)) / (scaled(axis, axis.max) - scaled(axis, axis.min));
  const value = (axis, share) => {
    const low = scaled(axis, axis.min), place = low + share * (scaled(axis, axis.max) - low);
    return axis.scale === 'log' ? 10 ** place : place;
  };
  const clock = (zone, options) => {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', ...options });
    return seconds => { try { return format.format(new Date(Math.round(seconds) * 1000)); } catch { return String(seconds); } };
  };
  const date = { year: 'numeric', month: '2-digit', day: '2-digit' };
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  const clocks = {};
  const clocksOf = zone => clocks[zone] ??= {
    date: clock(zone, date), time: clock(zone, time), both: clock(zone, { ...date, ...time }),
    month: clock(zone, { year: 'numeric', month: '2-digit' }), year: clock(zone, { year: 'numeric' }),
    minute: clock(zone, { hour: '2-digit', minute: '2-digit' }) };
  const written = (axis, number) => axis.kind === 'time'
    ? clocksOf(axis.zone).both(number).replace(',', '')
    : number.toLocaleString('en-US', { maximumSignificantDigits: 12 });

  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 604800, 1209600];
  function timeTicks(axis, low, high, most) {
    const names = clocksOf(axis.zone);
    // What the clocks of the zone are ahead of UTC in the middle of the view.
    const middle = (low + high) / 2;
    const parts = {};
    try {
      new Intl.DateTimeFormat('en-CA', { timeZone: axis.zone, hourCycle: 'h23', ...date, ...time })
        .formatToParts(new Date(middle * 1000)).forEach(part => { parts[part.type] = +part.value; });
    } catch { return numberTicks(low, high, most); }
    const ahead = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) / 1000
      - Math.floor(middle);
    const ticks = [];
    const step = STEPS.find(step => (high - low) / step <= most);
    if ((high - low) / most < 1) return numberTicks(low, high, most).map(tick => ({ ...tick, label: names.time(tick.at) }));
    if (step) {
      // Weeks begin on Mondays; 1970 began on a Thursday.
      const base = (step >= 604800 ? 4 * 86400 : 0) - ahead;
      for (let at = Math.ceil((low - base) / step) * step + base; at <= high; at += step) {
        const label = step >= 86400 ? names.date(at) : step >= 60 ? names.minute(at) : names.time(at);
        ticks.push({ at, label: step < 86400 && names.minute(at) === '00:00' && step >= 60 ? names.date(at) : label });
      }
      return ticks;
    }
    const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000].find(months => (high - low) / 2629746 / months <= most) || 12000;
    const start = new Date((low + ahead) * 1000);
    let month = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months;
    for (let count = 0; count < 60; count++, month += months) {
      const first = new Date(0);
      first.setUTCFullYear(Math.floor(month / 12), ((month % 12) + 12) % 12, 1);
      const at = first.getTime() / 1000 - ahead;
      if (at > high) break;
      if (at >= low) ticks.push({ at, label: months % 12 ? names.month(at) : names.year(at) });
    }
    return ticks;
  }
  function numberTicks(low, high, most) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough);
    const ticks = [];
    for (let number = Math.ceil(low / step); number * step <= high && ticks.length < 60; number++) {
      const at = number * step;
      ticks.push({ at, label: at.toLocaleString('en-US', { maximumSignificantDigits: 12 }) });
    }
    return ticks;
  }
  function logTicks(low, high, most) {
    const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
    if (to - from <= 2) return numberTicks(low, high, most).filter(tick => tick.at > 0);
    const every = Math.ceil((to - from) / most), ticks = [];
    for (let power = from; power <= to; power++) {
      const at = 10 ** power;
      if (power % every === 0 && at >= low && at <= high) ticks.push({ at, label: at.toLocaleString('en-US') });
    }
    return ticks;
  }
  const ticksOf = (axis, from, to, most) => {
    const low = value(axis, from), high = value(axis, to);
    if (!(low < high)) return [];
    if (axis.scale === 'log') return logTicks(low, high, most);
    return axis.kind === 'time' ? timeTicks(axis, low, high, most) : numberTicks(low, high, most);
  };

  // Places.
  let area = { left: 0, top: 0, width: 1, height: 1 };
  let ratio = 1;
  const across = share => area.left + (share - view.x0) / (view.x1 - view.x0) * area.width;
  const down = share => area.top + area.height - (share - view.y0) / (view.y1 - view.y0) * area.height;

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
    const yTicks = ticksOf(data.y, view.y0, view.y1, Math.max(2, height / 40));
    const y2Ticks = data.y2 ? ticksOf(data.y2, view.y0, view.y1, Math.max(2, height / 40)) : [];
    const widest = ticks => Math.max(0, ...ticks.map(tick => context.measureText(tick.label).width));
    const left = widest(yTicks) + 42, bar = data.colors ? 110 : 0;
    const right = (data.y2 ? widest(y2Ticks) + 38 : 24) + bar;
    area = { left, top: 8, width: Math.max(10, width - left - right), height: Math.max(10, height - 62) };
    const xTicks = ticksOf(data.x, view.x0, view.x1, Math.max(2, area.width / 110));
    const bottom = area.top + area.height;

    context.lineWidth = 1;
    context.strokeStyle = theme.grid;
    context.setLineDash([1, 2]);
    context.beginPath();
    for (const tick of xTicks) { const x = Math.round(across(share(data.x, tick.at))) + .5; context.moveTo(x, area.top); context.lineTo(x, bottom); }
    for (const tick of yTicks) { const y = Math.round(down(share(data.y, tick.at))) + .5; context.moveTo(area.left, y); context.lineTo(area.left + area.width, y); }
    context.stroke();
    context.setLineDash([]);

    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    if (data.bands && shown.bands) {
      context.fillStyle = theme.bands;
      data.bands.from.forEach((from, row) => {
        const x = across(share(data.x, from)), end = across(share(data.x, data.bands.to[row]));
        context.fillRect(x, area.top, Math.max(1, end - x), area.height);
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
    for (const tick of yTicks) context.fillText(tick.label, area.left - 7, down(share(data.y, tick.at)));
    context.textAlign = 'left';
    for (const tick of y2Ticks) context.fillText(tick.label, area.left + area.width + 7, down(share(data.y2, tick.at)));
    context.textAlign = 'center';
    for (const tick of xTicks) context.fillText(tick.label, across(share(data.x, tick.at)), bottom + 14);
    context.fillText(data.x.label, area.left + area.width / 2, bottom + 40);
    turned(data.y.label, 14);
    if (data.y2) turned(data.y2.label, area.left + area.width + widest(y2Ticks) + 24);
    if (data.colors) colorBar(width - 84);
    document.body.dataset.drawn = (performance.now() - started).toFixed(1);
    document.body.dataset.view = [view.x0, view.x1, view.y0, view.y1].map(part => part.toFixed(6)).join(' ');
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

  function trace(wash) {
    context.beginPath();
    // The neighbours of what is in view, so that the line does not end at the edges.
    let first = 0, last = line.x.length - 1;
    while (first < last && line.x[first + 1] / FULL < view.x0) first++;
    while (last > first && line.x[last - 1] / FULL > view.x1) last--;
    for (let row = first; row <= last; row++) {
      const x = across(line.x[row] / FULL), y = down(line.y[row] / FULL);
      row === first ? context.moveTo(x, y) : context.lineTo(x, y);
    }
    if (wash) {
      context.lineTo(across(line.x[last] / FULL), area.top + area.height);
      context.lineTo(across(line.x[first] / FULL), area.top + area.height);
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
      const x = across(points.x[row] / FULL), y = down(points.y[row] / FULL);
      if (x < area.left - 4 || x > area.left + area.width + 4 || y < area.top - 4 || y > area.top + area.height + 4) continue;
      const next = colorOf(row);
      // One path a colour; without shades every dot by itself, so that a crowd is denser.
      if (next !== color || !points.shade) {
        if (color) context.fill();
        context.beginPath();
        context.fillStyle = color = next;
      }
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 7);
    }
    if (color) context.fill();
    context.globalAlpha = 1;
  }

  function drawCounts() {
    const width = Math.round(area.width * ratio), height = Math.round(area.height * ratio);
    const count = new Uint32Array(width * height), shade = points.shade && new Uint8Array(width * height);
    const xFactor = width / (view.x1 - view.x0) / FULL, xStart = view.x0 / (view.x1 - view.x0) * width;
    const yFactor = height / (view.y1 - view.y0) / FULL, yStart = view.y0 / (view.y1 - view.y0) * height;
    let most = 1;
    for (let row = 0; row < points.count; row++) {
      const x = Math.floor(points.x[row] * xFactor - xStart), y = height - 1 - Math.floor(points.y[row] * yFactor - yStart);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const cell = y * width + x;
      if (++count[cell] > most) most = count[cell];
      if (shade && points.shade[row] > shade[cell]) shade[cell] = points.shade[row];
    }
    const picture = new ImageData(width, height), pixels = new Uint32Array(picture.data.buffer);
    const rgb = text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
    const pack = ([red, green, blue], alpha) => (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
    const colors = shade ? data.colors.map(color => pack(rgb(color), 255)) : null;
    const dots = rgb(theme.dots), best = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      const cell = y * width + x;
      if (!count[cell]) continue;
      // A single dot is seen, a crowd is brighter.
      const rank = shade ? shade[cell] : Math.round(90 + 165 * Math.log(count[cell]) / Math.log(most + 1));
      const paint = shade ? colors[rank] : pack(dots, rank);
      for (let dy = 0; dy < 2; dy++) for (let dx = 0; dx < 2; dx++) {
        const near = cell + dy * width + dx;
        if (x + dx < width && near < pixels.length && best[near] <= rank) { best[near] = rank; pixels[near] = paint; }
      }
    }
    const layer = document.createElement('canvas');
    layer.width = width; layer.height = height;
    layer.getContext('2d').putImageData(picture, 0, 0);
    context.drawImage(layer, area.left, area.top, area.width, area.height);
  }

  // What one does with it.
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
  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    const at = inside(event), factor = Math.exp((event.deltaY || event.deltaX) * .0015);
    const zoom = (low, high, share) => {
      const middle = view[low] + (view[high] - view[low]) * share;
      // Not nearer than the numbers in the page can tell apart.
      if ((view[high] - view[low]) * factor < 1e-7) return;
      view[low] = middle - (middle - view[low]) * factor;
      view[high] = middle + (view[high] - middle) * factor;
    };
    if (!event.altKey) zoom('x0', 'x1', (at.x - area.left) / area.width);
    if (!event.shiftKey) zoom('y0', 'y1', 1 - (at.y - area.top) / area.height);
    redraw();
  }, { passive: false });
  let dragged = null;
  canvas.addEventListener('pointerdown', event => {
    dragged = { ...inside(event), view: { ...view } };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointerup', () => { dragged = null; });
  canvas.addEventListener('pointermove', event => {
    const at = inside(event);
    if (!dragged) return tell(at);
    hover.textContent = '';
    const x = (dragged.x - at.x) / area.width * (dragged.view.x1 - dragged.view.x0);
    const y = (at.y - dragged.y) / area.height * (dragged.view.y1 - dragged.view.y0);
    Object.assign(view, { x0: dragged.view.x0 + x, x1: dragged.view.x1 + x, y0: dragged.view.y0 + y, y1: dragged.view.y1 + y });
    redraw();
  });
  canvas.addEventListener('pointerleave', () => { hover.textContent = ''; });
  const reset = () => { Object.assign(view, { x0: 0, x1: 1, y0: 0, y1: 1 }); redraw(); };
  canvas.addEventListener('dblclick', reset);
  document.getElementById('reset').addEventListener('click', reset);

  function tell(at) {
    hover.textContent = '';
    if (!points || !shown.points || at.x < area.left || at.x > area.left + area.width) return;
    let nearest = -1, distance = 64;
    for (let row = 0; row < points.count; row++) {
      const dx = across(points.x[row] / FULL) - at.x;
      if (dx > 8 || dx < -8) continue;
      const dy = down(points.y[row] / FULL) - at.y, far = dx * dx + dy * dy;
      if (far <= distance) { distance = far; nearest = row; }
    }
    if (nearest < 0) return;
    const lines = points.names && points.names[nearest] ? [points.names[nearest]] : [];
    lines.push(`${data.x.label}: ${written(data.x, value(data.x, points.x[nearest] / FULL))}`);
    lines.push(`${data.y.label}: ${written(data.y, value(data.y, points.y[nearest] / FULL))}`);
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
