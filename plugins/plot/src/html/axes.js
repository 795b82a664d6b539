// Ticks and value labels of the axes of the page, with the same rules as the pictures.
'use strict';
const axes = (() => {
  // Numbers.
  function grouped(text) {
    const [, sign, whole, fraction] = /^(-?)(\d+)(.*)$/.exec(text);
    return sign + whole.replace(/\B(?=(\d{3})+$)/g, ',') + fraction;
  }
  // Formats a number with all its digits.
  function exact(number) {
    const text = String(number).replace('e+', 'e');
    return /^-?\d[\d.]*$/.test(text) ? grouped(text) : text;
  }
  // Formats a number with the digits that its step needs: `digit` is the power of ten of the step.
  function rounded(value, digit, largest) {
    if (value === 0) return digit < 0 && digit > -5 ? value.toFixed(-digit) : '0';
    if (largest >= 1e15 || (largest < 1e-3 && digit < -4)) {
      const digits = Math.floor(Math.log10(Math.abs(value))) - digit;
      const text = value.toExponential(Math.min(15, Math.max(0, digits)));
      const [mantissa, exponent] = text.replace('e+', 'e').split('e');
      return (mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa) + 'e' + exponent;
    }
    return grouped(value.toFixed(Math.max(0, -digit)));
  }

  // Calendars and clocks. A local time is stored as the seconds since 1970 at which a UTC clock shows the same.
  const clocks = {};
  const dayOf = (year, month, day) => {
    const date = new Date(0);
    date.setUTCFullYear(year, month, day);
    return date.getTime() / 1000;
  };
  const two = number => String(number).padStart(2, '0');
  function parts(local) {
    const date = new Date(local * 1000);
    const year = date.getUTCFullYear();
    return {
      year, month: date.getUTCMonth(), day: date.getUTCDate(), into: local - dayOf(year, date.getUTCMonth(), date.getUTCDate()),
      hour: two(date.getUTCHours()), minute: two(date.getUTCMinutes()), second: two(date.getUTCSeconds()),
      fourDigits: year < 0 ? '-' + String(-year).padStart(4, '0') : String(year).padStart(4, '0'),
    };
  }
  function clockOf(zone) {
    return clocks[zone] ??= new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', era: 'short',
      year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  }
  const knows = zone => { try { return zone === 'UTC' || !!clockOf(zone); } catch { return false; } };
  // The offset of a zone from UTC, in seconds, at a whole second.
  function ahead(zone, seconds) {
    if (zone === 'UTC') return 0;
    const found = {};
    for (const part of clockOf(zone).formatToParts(new Date(seconds * 1000))) found[part.type] = part.value;
    const year = found.era.startsWith('B') ? 1 - found.year : +found.year;
    return dayOf(year, found.month - 1, +found.day) + found.hour * 3600 + found.minute * 60 + +found.second - seconds;
  }
  // The calendar of browsers ends here.
  const FAR = 8.2e12;
  function localTime(zone, seconds) {
    let whole = Math.floor(seconds), micros = Math.round((seconds - whole) * 1e6);
    if (micros === 1e6) { whole++; micros = 0; }
    return { whole: whole + ahead(zone, whole), micros };
  }
  // Converts a local time to seconds since 1970: the earlier time if it is ambiguous, an hour later if it is skipped.
  function secondsOf(zone, local) {
    for (const at of [local, local + 3600]) {
      const near = [ahead(zone, at - 86400), ahead(zone, at + 86400)].sort((one, other) => other - one);
      for (const offset of near) if (ahead(zone, at - offset) === offset) return at - offset;
    }
    return local;
  }
  // A value of an axis with all its digits, for the user.
  function written(axis, value) {
    if (axis.kind !== 'time' || !(Math.abs(value) < FAR)) return exact(value);
    const { whole, micros } = localTime(axis.zone, value), time = parts(whole);
    const fraction = micros ? '.' + String(micros).padStart(6, '0').replace(/0+$/, '') : '';
    return `${time.fourDigits}-${two(time.month + 1)}-${two(time.day)} ${time.hour}:${time.minute}:${time.second}${fraction}`;
  }

  // Whether no labels of ticks overlap.
  function fits(span, room, ticks) {
    const most = Math.floor(room.length / (room.beside ? 9 * room.character : room.line * 2.2));
    if (ticks.length > Math.min(16, Math.max(2, most))) return false;
    const needs = tick => room.beside ? room.width(tick.label) + 2 * room.character : room.line * 1.6;
    return ticks.every((tick, place) => place === 0 ||
      (span.share(tick.at) - span.share(ticks[place - 1].at)) * room.length >= (needs(tick) + needs(ticks[place - 1])) / 2);
  }

  function numberTicks(span, room) {
    // Half of each bound, because the difference of the largest numbers would overflow to infinity.
    const start = Math.floor(Math.log10((span.max / 2 - span.min / 2) / 64));
    const largest = Math.max(Math.abs(span.max), Math.abs(span.min));
    for (let power = start; power < start + 5; power++) for (const factor of [1, 2, 5]) {
      const step = Number(`${factor}e${power}`);
      const first = Math.ceil(span.min / step), last = Math.floor(span.max / step);
      // A step below the distance of two neighbouring floating-point numbers is not useful.
      if (!(last - first < 200) || largest / step > 1e15) continue;
      const ticks = [];
      for (let count = first; count <= last; count++) {
        const at = Number(`${count * factor}e${power}`);
        if (at >= span.min && at <= span.max) ticks.push({ at, label: rounded(at, power, largest), below: '' });
      }
      if (ticks.length && fits(span, room, ticks)) return ticks;
    }
    return [];
  }

  function logTicks(span, room) {
    const low = Math.log10(span.min), high = Math.log10(span.max);
    const tries = [];
    if (high - low >= 1) {
      if (high - low < 6) tries.push([1, [1, 2, 5]]);
      for (const every of [1, 2, 3, 5, 10, 20, 50, 100]) tries.push([every, [1]]);
    }
    for (const [every, factors] of tries) {
      const ticks = [];
      for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
        if (power % every) continue;
        for (const factor of factors) {
          const at = Number(`${factor}e${power}`);
          const largest = power >= -4 && power < 9 ? 1 : 1e15;
          if (at >= span.min && at <= span.max) ticks.push({ at, label: rounded(at, power, largest), below: '' });
        }
      }
      if (ticks.length > 1 && fits(span, room, ticks)) return ticks;
    }
    return numberTicks(span, room);
  }

  // All possible steps, the shortest first, with their lengths in seconds.
  const DAY = 86400, MONTH = 2629746;
  const STEPS = [];
  const add = (unit, counts, seconds) => { for (const count of counts) STEPS.push({ unit, count, seconds: count * seconds }); };
  for (let power = 0; power < 6; power++) add('micros', [1, 2, 5].map(factor => factor * 10 ** power), 1e-6);
  for (const unit of [1, 60]) add('micros', [1, 2, 5, 10, 15, 30].map(count => count * unit * 1e6), 1e-6);
  add('micros', [1, 2, 3, 6, 12].map(hours => hours * 3600e6), 1e-6);
  add('days', [1, 2], DAY);
  add('weeks', [1, 2], 7 * DAY);
  add('months', [1, 2, 3, 6], MONTH);
  for (let power = 0; power < 5; power++) add('months', [1, 2, 5].map(factor => 12 * factor * 10 ** power), MONTH);

  // The local times of a step, starting at or before `low`.
  function* times({ unit, count }, low) {
    const start = parts(low.whole), midnight = low.whole - start.into;
    if (unit === 'micros') {
      let into = start.into * 1e6 + low.micros;
      for (into -= into % count; ; into += count) yield { whole: midnight + Math.floor(into / 1e6), micros: into % 1e6 };
    } else if (unit === 'days') {
      // Counted from the first of the month, so that zooming keeps the same days.
      let at = dayOf(start.year, start.month, 1 + Math.floor((start.day - 1) / count) * count);
      for (;;) {
        yield { whole: at, micros: 0 };
        const month = parts(at).month;
        at += count * DAY;
        const next = parts(at);
        if (count > 1 && next.month !== month) at = dayOf(next.year, next.month, 1);
      }
    } else if (unit === 'weeks') {
      // Counted from the first day of the year 1, which is a Monday.
      const first = -719162 * DAY, length = 7 * DAY * count;
      for (let at = first + Math.floor((midnight - first) / length) * length; ; at += length) yield { whole: at, micros: 0 };
    } else {
      for (let month = Math.floor((start.year * 12 + start.month) / count) * count; ; month += count) {
        yield { whole: dayOf(Math.floor(month / 12), month - Math.floor(month / 12) * 12, 1), micros: 0 };
      }
    }
  }

  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  function timeLabel({ unit, count }, { whole, micros }, short) {
    const time = parts(whole);
    const clock = `${time.hour}:${time.minute}`, full = `${clock}:${time.second}`;
    if (unit === 'months') {
      if (count % 12 === 0) return String(time.year);
      return short ? MONTHS[time.month] : `${time.fourDigits}-${two(time.month + 1)}`;
    }
    if (unit !== 'micros') {
      return short ? `${MONTHS[time.month]} ${time.day}` : `${time.fourDigits}-${two(time.month + 1)}-${two(time.day)}`;
    }
    if (count < 1e6) return `${full}.${String(micros).padStart(6, '0').slice(0, 6 - Math.floor(Math.log10(count)))}`;
    if (count < 60e6) return full;
    return short || time.into ? clock : `${two(time.month + 1)}-${two(time.day)}`;
  }

  // Adds the year or the day below the first label and wherever it changes, if there is room.
  function putBelow(step, span, room, ticks) {
    if (step.unit === 'months' && step.count % 12 === 0) return;
    const changes = [];
    ticks.forEach((tick, place) => {
      const time = parts(tick.local.whole);
      const text = step.unit === 'micros' ? `${time.fourDigits}-${two(time.month + 1)}-${two(time.day)}` : String(time.year);
      if (!changes.length || changes[changes.length - 1].text !== text) changes.push({ place, text });
    });
    // A label at a change has priority over the first label, which is only where the axis begins.
    let taken = Infinity;
    for (const { place, text } of changes.reverse()) {
      const half = (room.width(text) + 2 * room.character) / 2, at = span.share(ticks[place].at) * room.length;
      if (at + half <= taken) { taken = at - half; ticks[place].below = text; }
    }
  }

  function timeTicks(span, room) {
    const low = localTime(span.zone, span.min), high = localTime(span.zone, span.max);
    for (const step of STEPS) {
      if ((span.max - span.min) / step.seconds > 60) continue;
      const ticks = [];
      for (const local of times(step, low)) {
        if (local.whole > high.whole || (local.whole === high.whole && local.micros > high.micros) || ticks.length > 200) break;
        const at = secondsOf(span.zone, local.whole) + local.micros / 1e6;
        const last = ticks.length ? ticks[ticks.length - 1].at : -Infinity;
        if (at < span.min || at > span.max || at <= last) continue;
        ticks.push({ at, local, label: timeLabel(step, local, room.beside), below: '' });
      }
      if (!ticks.length || !fits(span, room, ticks)) continue;
      if (room.beside) putBelow(step, span, room, ticks);
      return ticks;
    }
    return [];
  }

  // The ticks between two values of an axis; `share` maps a value to its position from 0 to 1.
  function ticks(axis, min, max, share, room) {
    // A bound outside the data may have overflowed to infinity.
    const span = { zone: axis.zone, share, min: Math.max(min, -Number.MAX_VALUE), max: Math.min(max, Number.MAX_VALUE) };
    if (axis.scale === 'log') span.min = Math.max(span.min, Number.MIN_VALUE);
    if (!(span.min < span.max)) return [];
    if (axis.scale === 'log') return logTicks(span, room);
    const dates = axis.kind === 'time' && Math.abs(span.min) < FAR && Math.abs(span.max) < FAR;
    return dates ? timeTicks(span, room) : numberTicks(span, room);
  }

  return { knows, ticks, written };
})();
