'use strict';
(() => {
const $ = (selector, root) => (root || document).querySelector(selector);
const $$ = (selector, root) => Array.from((root || document).querySelectorAll(selector));
const SVG = 'http://www.w3.org/2000/svg';
const LEFT = 84, RIGHT = 1022;
const make = (name, text, attributes) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  for (const key in attributes || {}) element.setAttribute(key, attributes[key]);
  return element;
};
const duration = ns => {
  const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'us'], [1, 'ns']];
  const [scale, unit] = units.find(([scale]) => ns >= scale) || [1, 'ns'];
  return String(Number((ns / scale).toPrecision(3))) + ' ' + unit;
};
const moment = ns => (ns / 1e9).toFixed(3) + ' s';

// A view can be asked for: #view=executive. A link to a panel that is hidden shows everything.
const views = $$('input[name=view]');
const onHash = () => {
  const id = decodeURIComponent(location.hash.slice(1));
  const wanted = views.find(view => view.id === id.replace('=', '-'));
  if (wanted) { wanted.checked = true; return; }
  const target = id && document.getElementById(id);
  if (!target) return;
  const panel = target.closest('.panel') || target;
  if (views.length && getComputedStyle(panel).display === 'none') $('#view-debug').checked = true;
  for (let up = target; up; up = up.parentElement) if (up.tagName === 'DETAILS') up.open = true;
  target.scrollIntoView();
};
addEventListener('hashchange', onHash);
const contents = $('.contents');
if (contents) contents.addEventListener('click', event => { if (event.target.tagName === 'A') contents.open = false; });
addEventListener('keydown', event => { if (event.key === 'Escape' && contents && contents.open) { contents.open = false; $('summary', contents).focus(); } });

const tip = $('.tip');
const runs = $$('.run').filter(run => Number(run.dataset.end) > 0).map(begin);
toolbar();
onHash();

/// One run: its charts share an axis, its operations a filter.
function begin(root) {
  const end = Number(root.dataset.end);
  const state = { root, end, from: 0, to: end, charts: $$('.over-time', root), node: '' };
  state.charts.forEach(chart => prepare(state, chart));
  // A moment of the time line leads to what happened around it.
  $$('[data-ns]', state.root).forEach(row => {
    const cell = row.firstElementChild, button = make('button', cell.textContent, { type: 'button', class: 'link', title: 'Show all charts around this moment' });
    button.addEventListener('click', () => zoom(state, Number(row.dataset.ns) - state.end / 40, Number(row.dataset.ns) + state.end / 40));
    cell.replaceChildren(button);
  });
  const packed = $('.columns', root);
  if (packed && 'DecompressionStream' in window) {
    const box = $('.finder', root);
    const start = () => { observer.disconnect(); unpack(packed.textContent).then(data => finder(state, data, box)); };
    const observer = new IntersectionObserver(seen => { if (seen.some(one => one.isIntersecting)) start(); }, { rootMargin: '600px' });
    observer.observe(box.closest('.panel'));
    state.start = start;
  }
  return state;
}

/// Where a pointer is in time; nothing beside the plane.
function timeAt(state, chart, event) {
  const box = chart.getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width * 1040;
  if (x < LEFT || x > RIGHT) return null;
  return state.from + (x - LEFT) / (RIGHT - LEFT) * (state.to - state.from);
}

function xOf(state, ns) {
  return LEFT + (ns - state.from) / (state.to - state.from) * (RIGHT - LEFT);
}

function prepare(state, chart) {
  const floor = Number($('.ticks', chart).dataset.floor);
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('class', 'cursor');
  const chosen = document.createElementNS(SVG, 'rect');
  chosen.setAttribute('class', 'chosen');
  chosen.setAttribute('height', floor);
  chosen.setAttribute('width', 0);
  chart.append(chosen, line);
  let down = null;
  chart.addEventListener('pointerdown', event => {
    down = event.button === 0 && event.pointerType === 'mouse' ? timeAt(state, chart, event) : null;
  });
  chart.addEventListener('pointermove', event => {
    const ns = timeAt(state, chart, event);
    state.charts.forEach(other => {
      const at = $('.cursor', other);
      at.setAttribute('d', ns === null ? '' : 'M' + xOf(state, ns) + ' 0V' + $('.ticks', other).dataset.floor);
    });
    if (ns === null) { tip.hidden = true; return; }
    if (down !== null) {
      const [from, to] = [Math.min(down, ns), Math.max(down, ns)];
      chosen.setAttribute('x', xOf(state, from));
      chosen.setAttribute('width', xOf(state, to) - xOf(state, from));
    }
    const mark = event.target.closest('g');
    const title = mark && $(':scope > title', mark);
    say(event, moment(ns) + (title ? ' · ' + title.textContent : ''));
  });
  chart.addEventListener('pointerleave', () => {
    tip.hidden = true;
    down = null;
    chosen.setAttribute('width', 0);
    state.charts.forEach(other => $('.cursor', other).setAttribute('d', ''));
  });
  chart.addEventListener('pointerup', event => {
    const ns = timeAt(state, chart, event);
    chosen.setAttribute('width', 0);
    if (down !== null && ns !== null && Math.abs(xOf(state, ns) - xOf(state, down)) > 6) zoom(state, Math.min(down, ns), Math.max(down, ns));
    down = null;
  });
  chart.addEventListener('dblclick', () => zoom(state, 0, state.end));
}

function say(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  const wide = tip.offsetWidth;
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - wide - 8)) + 'px';
  tip.style.top = (event.clientY + 18) + 'px';
}

/// All charts of a run show this stretch of time.
function zoom(state, from, to) {
  const least = Math.max(state.end / 1e5, 1);
  if (to - from < least) { const middle = (from + to) / 2; from = middle - least / 2; to = middle + least / 2; }
  state.from = Math.max(0, from);
  state.to = Math.min(state.end, Math.max(to, state.from + least));
  const scale = (state.to - state.from) / state.end;
  state.charts.forEach(chart => {
    const plane = $('.plane', chart);
    const floor = $('.ticks', chart).dataset.floor;
    const at = LEFT + state.from / state.end * (RIGHT - LEFT);
    plane.setAttribute('viewBox', at + ' 0 ' + scale * (RIGHT - LEFT) + ' ' + floor);
    $$('text', plane).forEach(text => {
      const x = text.getAttribute('x');
      text.setAttribute('transform', scale === 1 ? '' : 'translate(' + x + ' 0) scale(' + scale + ' 1) translate(-' + x + ' 0)');
    });
    ticks(state, $('.ticks', chart), Number(floor));
  });
  if (state.redraw) state.redraw();
  tell();
}

function ticks(state, group, floor) {
  const span = state.to - state.from;
  let step = 1;
  for (let power = 1; ; power *= 10) {
    const found = [1, 2, 5].map(factor => factor * power).find(size => span / size <= 12);
    if (found) { step = found; break; }
  }
  group.replaceChildren();
  for (let ns = Math.ceil(state.from / step) * step; ns <= state.to; ns += step) {
    const x = xOf(state, ns);
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', 'by-axis');
    path.setAttribute('d', 'M' + x + ' ' + floor + 'v5');
    const text = document.createElementNS(SVG, 'text');
    text.setAttribute('class', 'in-text');
    text.setAttribute('x', x);
    text.setAttribute('y', floor + 18);
    text.setAttribute('text-anchor', 'middle');
    text.textContent = step >= 1e9 ? ns / 1e9 + ' s' : (ns / 1e9).toFixed(step >= 1e6 ? 3 : 6) + ' s';
    group.append(path, text);
  }
}

function toolbar() {
  const tools = $('.tools');
  const state = runs[0];
  if (!tools || !state) return;
  tools.hidden = false;
  const add = (name, act) => { const button = make('button', name, { type: 'button' }); button.addEventListener('click', act); tools.append(button); return button; };
  if (state.root.dataset.anomaly) {
    add('First anomaly', () => {
      const at = Number(state.root.dataset.anomaly);
      zoom(state, at - state.end / 40, at + state.end / 40);
      const target = $('[id$="anomaly-1-title"]', state.root) || $('[id$="anomalies"]', state.root);
      if (target) { const card = target.closest('article') || target; card.scrollIntoView(); card.setAttribute('tabindex', '-1'); card.focus({ preventScroll: true }); }
    });
  }
  const closer = factor => () => {
    const middle = (state.from + state.to) / 2, half = (state.to - state.from) / 2 * factor;
    zoom(state, middle - half, middle + half);
  };
  add('Zoom in', closer(0.5));
  add('Zoom out', closer(2));
  tools.append(make('span', 'all of it', { class: 'shown', role: 'status' }));
}

function tell() {
  const state = runs[0], shown = $('.tools .shown');
  if (!shown) return;
  shown.textContent = state.from <= 0 && state.to >= state.end ? 'all of it' : moment(state.from) + ' to ' + moment(state.to);
}

/// The columns of operations, unpacked.
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), character => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const raw = new Uint8Array(await new Response(stream).arrayBuffer());
  const split = raw.indexOf(10);
  const data = JSON.parse(new TextDecoder().decode(raw.subarray(0, split)));
  let place = split + 1;
  for (const name of data.columns) {
    const column = new Float64Array(data.count);
    for (let row = 0; row < data.count; row++) {
      let number = 0, factor = 1, byte;
      do { byte = raw[place++]; number += (byte & 127) * factor; factor *= 128; } while (byte > 127);
      column[row] = number;
    }
    data[name] = column;
    if (performance.now() - unpack.since > 40) { await new Promise(done => setTimeout(done)); unpack.since = performance.now(); }
  }
  let at = 0;
  for (let row = 0; row < data.count; row++) {
    const delta = data.invoke[row];
    at += delta % 2 ? -(delta + 1) / 2 : delta / 2;
    data.invoke[row] = at;
  }
  return data;
}
unpack.since = 0;

/// Filters, a plot of every operation, and a table of those that were found.
function finder(state, data, box) {
  const OUTCOMES = ['ok', 'fail', 'info'], PAGE = 50;
  const filters = $('.filters', box), canvas = $('.scatter', box), body = $('tbody', box), pager = $('.pager', box);
  const name = (names, number) => names[number] === undefined || names[number] === '' ? 'number ' + number : names[number];
  const choice = (label, names, column) => {
    const outer = make('label', label + ' ');
    const select = make('select', '');
    select.append(make('option', 'all', { value: '' }));
    const seen = new Set(data[column]);
    Array.from(seen).sort((a, b) => a - b).slice(0, 2000).forEach(number => select.append(make('option', name(names, number), { value: number })));
    select.addEventListener('change', () => { page = 0; search(); });
    outer.append(select);
    filters.append(outer);
    return { column, select };
  };
  const choices = [choice('Key', data.keys, 'key'), choice('Client', data.clients, 'client'), choice('Process', [], 'process'), choice('Function', data.functions, 'function'), choice('Outcome', OUTCOMES, 'outcome')];
  let found = [], page = 0;
  let longest = 1;
  for (let row = 0; row < data.count; row++) longest = Math.max(longest, data.took[row]);
  const search = () => {
    const wanted = choices.filter(one => one.select.value !== '').map(one => [data[one.column], Number(one.select.value)]);
    const from = state.from / 1e3, to = state.to / 1e3;
    found = [];
    for (let row = 0; row < data.count; row++) {
      const at = data.invoke[row];
      if (at >= from && at <= to && wanted.every(([column, value]) => column[row] === value)) found.push(row);
    }
    page = Math.min(page, Math.max(0, Math.ceil(found.length / PAGE) - 1));
    show();
    paint();
  };
  const show = () => {
    $('.found', box).textContent = found.length.toLocaleString('en') + ' of ' + data.count.toLocaleString('en') + ' operations';
    body.replaceChildren();
    for (const row of found.slice(page * PAGE, (page + 1) * PAGE)) {
      const line = make('tr', '');
      line.append(make('th', moment(data.invoke[row] * 1e3), { scope: 'row', class: 'time' }));
      const took = data.took[row] ? duration(Math.max((data.took[row] - 1) * 1e3, 1e3)) : 'never completed';
      const cells = [took, name(data.clients, data.client[row]) + ', process ' + data.process[row], name(data.keys, data.key[row]), data.functions[data.function[row]] + ' ' + data.texts[data.argument[row]], data.texts[data.result[row]], OUTCOMES[data.outcome[row]]];
      cells.forEach(text => line.append(make('td', text)));
      body.append(line);
    }
    pager.replaceChildren();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const button = (text, to) => { const one = make('button', text, { type: 'button' }); one.disabled = to < 0 || to >= pages || to === page; one.addEventListener('click', () => { page = to; show(); }); pager.append(one); };
    button('First', 0); button('Before', page - 1);
    pager.append(make('span', 'page ' + (page + 1) + ' of ' + pages));
    button('Next', page + 1); button('Last', pages - 1);
  };
  let job = 0;
  const paint = () => {
    const mine = ++job, context = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
    const ratio = Math.min(2, devicePixelRatio || 1);
    canvas.width = 1040 * ratio; canvas.height = 260 * ratio;
    context.scale(ratio, ratio);
    const colour = ['--ok', '--fail', '--info'].map(variable => style.getPropertyValue(variable));
    const floor = 232, top = Math.ceil(Math.log10(longest));
    context.font = '12px system-ui, sans-serif';
    context.fillStyle = style.getPropertyValue('--soft');
    context.strokeStyle = style.getPropertyValue('--grid');
    for (let power = 0; power <= top; power++) {
      const y = floor - power / Math.max(top, 1) * (floor - 10);
      context.beginPath(); context.moveTo(LEFT, y); context.lineTo(RIGHT, y); context.stroke();
      context.textAlign = 'right'; context.fillText(duration(10 ** power * 1e3), LEFT - 8, y + 4);
    }
    context.textAlign = 'center';
    for (let tick = 0; tick <= 6; tick++) context.fillText(moment(state.from + (state.to - state.from) * tick / 6), LEFT + (RIGHT - LEFT) * tick / 6, floor + 20);
    let place = 0;
    const some = () => {
      if (mine !== job) return;
      const until = Math.min(found.length, place + 12000);
      for (; place < until; place++) {
        const row = found[place], kind = data.outcome[row];
        const x = xOf(state, data.invoke[row] * 1e3);
        const y = floor - Math.log10(data.took[row] || longest) / Math.max(top, 1) * (floor - 10);
        context.fillStyle = context.strokeStyle = colour[kind];
        if (kind === 0) context.fillRect(x - 1, y - 1, 2, 2);
        else if (kind === 1) { context.beginPath(); context.moveTo(x - 3, y - 3); context.lineTo(x + 3, y + 3); context.moveTo(x + 3, y - 3); context.lineTo(x - 3, y + 3); context.stroke(); }
        else { context.beginPath(); context.moveTo(x, y - 4); context.lineTo(x + 4, y + 3); context.lineTo(x - 4, y + 3); context.closePath(); context.stroke(); }
      }
      if (place < found.length) requestAnimationFrame(some);
    };
    some();
  };
  canvas.addEventListener('pointermove', event => {
    const area = canvas.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width * 1040, y = (event.clientY - area.top) / area.height * 260;
    const at = (state.from + (x - LEFT) / (RIGHT - LEFT) * (state.to - state.from)) / 1e3;
    const near = (state.to - state.from) / 1e3 / 150, top = Math.max(1, Math.ceil(Math.log10(longest)));
    let best = -1, least = 120;
    for (const row of found) {
      if (Math.abs(data.invoke[row] - at) > near) continue;
      const dx = xOf(state, data.invoke[row] * 1e3) - x, dy = 232 - Math.log10(data.took[row] || longest) / top * 222 - y;
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = row; }
    }
    if (best < 0) { tip.hidden = true; return; }
    say(event, moment(data.invoke[best] * 1e3) + ' · ' + name(data.clients, data.client[best]) + ' · ' + data.functions[data.function[best]] + ' ' + name(data.keys, data.key[best]) + ' ' + data.texts[data.argument[best]] + ' → ' + (data.texts[data.result[best]] || OUTCOMES[data.outcome[best]]));
  });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  const clear = make('button', 'Clear', { type: 'button' });
  clear.addEventListener('click', () => { choices.forEach(one => { one.select.value = ''; }); mark(''); search(); });
  filters.append(clear);
  const nodes = Array.from(new Set($$('[data-node]', state.root).map(one => one.dataset.node)));
  const mark = node => $$('[data-node]', state.root).forEach(one => one.classList.toggle('dim', node !== '' && one.dataset.node !== node));
  if (nodes.length > 1) {
    const outer = make('label', 'Node '), select = make('select', '');
    select.append(make('option', 'all', { value: '' }));
    nodes.forEach(node => select.append(make('option', node, { value: node })));
    select.addEventListener('change', () => mark(select.value));
    clear.addEventListener('click', () => { select.value = ''; });
    outer.append(select);
    filters.append(outer);
  }
  state.redraw = search;
  box.hidden = false;
  $$('.needs-script', state.root).forEach(one => { one.hidden = true; });
  search();
}
})();
