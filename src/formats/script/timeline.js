// SPDX-License-Identifier: MIT
/*
 * The time axis of a page: a lane for each thread, and a range of time whose samples the flame graph shows.
 *
 * What a thread did is runs: from an interval on, for so many intervals, in one node of the file's tree. The range is part
 * of the state, `time`, in seconds as in "1.2-3.4"; '' is all of it.
 */

const LANE = 30; // pixels
const LANE_GAP = 6;
const LANES_SHOWN = 12; // of the threads with most samples; the others are one lane together
const AXIS = 20;
const BUCKET = 2; // pixels that are summed up
const NS = 1e9;

/* One column: how many runs, then of each its thread, the gap since that thread's last one, its length and its node. */
function readRuns(root) {
    const next = openColumn(root, 'runs');
    const count = next();
    const runs = {
        count,
        thread: new Uint32Array(count),
        start: new Float64Array(count),
        length: new Float64Array(count),
        node: new Uint32Array(count),
        end: 0, // of the last one
    };
    const ends = new Map();
    for (let i = 0; i < count; i++) {
        const thread = next();
        runs.thread[i] = thread;
        runs.start[i] = (ends.get(thread) || 0) + next();
        runs.length[i] = next();
        runs.node[i] = next();
        ends.set(thread, runs.start[i] + runs.length[i]);
        runs.end = Math.max(runs.end, runs.start[i] + runs.length[i]);
    }
    return runs;
}

/* ---- the range ---- */

function secondsOf(view, intervals) {
    return intervals * view.info.interval_ns / NS;
}

/* In intervals; null when it is all of the time, or makes no sense. */
function parseRange(view, text) {
    const [, from, to] = /^([\d.]+)-([\d.]+)$/.exec(text) || [];
    const intervalsOf = (seconds) => Math.round(Number(seconds) * NS / view.info.interval_ns);
    const {runs} = view.timeline;
    const range = {from: Math.max(intervalsOf(from), 0), to: Math.min(intervalsOf(to), runs.end)};
    return range.from < range.to ? range : null;
}

function formatRange(view, from, to) {
    const digits = Math.max(0, Math.ceil(-Math.log10(view.info.interval_ns / NS)));
    return `${secondsOf(view, from).toFixed(digits)}-${secondsOf(view, to).toFixed(digits)}`;
}

/* Gives the nodes the samples of the range. */
function applyRange(view) {
    const {timeline, base} = view;
    const {runs} = timeline;
    timeline.range = parseRange(view, view.state.time);
    const {from, to} = timeline.range || {from: 0, to: runs.end};
    const weights = new Float64Array(base.count);
    for (let i = 0; i < runs.count; i++) {
        const begin = Math.max(runs.start[i], from);
        const end = Math.min(runs.start[i] + runs.length[i], to);
        if (begin < end)
            weights[runs.node[i]] += end - begin;
    }
    setTreeWeights(base, weights);
    view.allSamples = totalOf(base, ROOT);
}

/* ---- lanes ---- */

/* The thread's name, with its process where there are several; the whole of what is known of it goes into the tip. */
function threadTexts(view, group) {
    const processes = view.groups.filter((other) => other.kind === PROCESS);
    const process = processes.find((other) => other.process === group.process);
    const [, pid] = /^process (\d+)/.exec(process ? process.name : '') || [];
    return {
        label: processes.length > 1 && pid ? `${groupKey(group)} of ${pid}` : group.key,
        title: process ? `${process.name}, ${group.name}` : group.name,
    };
}

/* The threads with most samples, the main ones first, and one lane for all others. */
function makeLanes(view) {
    const {runs} = view.timeline;
    const weights = new Map();
    for (let i = 0; i < runs.count; i++)
        weights.set(runs.thread[i], (weights.get(runs.thread[i]) || 0) + runs.length[i]);
    const groups = view.groups.filter((group) => view.fine[group.frame].kind === THREAD);
    const lanes = groups.map((group) => {
        const thread = view.fine[group.frame].member;
        return {threads: [thread], ...threadTexts(view, group), group, weight: weights.get(thread) || 0};
    }).filter((lane) => lane.weight > 0);
    if (lanes.length <= LANES_SHOWN)
        return lanes;
    const byWeight = [...lanes].sort((a, b) => b.group.isMain - a.group.isMain || b.weight - a.weight);
    const kept = new Set(byWeight.slice(0, LANES_SHOWN - 1));
    const others = lanes.filter((lane) => !kept.has(lane));
    return [...lanes.filter((lane) => kept.has(lane)), {
        threads: others.flatMap((lane) => lane.threads),
        label: `${others.length.toLocaleString('en-US')} other threads`,
        title: 'Threads with fewer samples',
        group: null,
    }];
}

/* The family of each node: that of its frame. */
function familiesOf(view) {
    return Uint8Array.from(view.base.frame, (frame) => view.fine[frame].family);
}

/* How busy each lane was with each family in each bucket, 0 to 1 (with several threads in a lane, of all of them). */
function sumBuckets(view, buckets) {
    const {timeline, info} = view;
    const {runs, lanes, families} = timeline;
    const laneOf = new Map(lanes.flatMap((lane, i) => lane.threads.map((thread) => [thread, i])));
    const sums = lanes.map(() => info.families.map(() => new Float64Array(buckets)));
    const scale = buckets / runs.end;
    for (let i = 0; i < runs.count; i++) {
        const lane = laneOf.get(runs.thread[i]);
        const row = sums[lane][families[runs.node[i]]];
        const begin = runs.start[i] * scale;
        const end = (runs.start[i] + runs.length[i]) * scale;
        for (let bucket = Math.floor(begin); bucket < end && bucket < buckets; bucket++)
            row[bucket] += (Math.min(end, bucket + 1) - Math.max(begin, bucket)) / lanes[lane].threads.length;
    }
    return sums;
}

/* One path for the bars of a family in a lane; they stand on those of the families before. */
function barsOf(row, bases, y) {
    let path = '';
    row.forEach((share, bucket) => {
        if (share <= 0)
            return;
        const height = Math.max(Math.min(share, 1) * LANE, 0.5);
        const bottom = y + LANE - bases[bucket] * LANE;
        path += `M${bucket * BUCKET} ${bottom.toFixed(1)}v${(-height).toFixed(1)}h${BUCKET}v${height.toFixed(1)}z`;
        bases[bucket] += share;
    });
    return path;
}

function drawLane(view, lane, y, rows, layer) {
    const bases = new Float64Array(rows[0].length);
    make(SVG, 'rect', {class: 'lane', x: 0, y, width: '100%', height: LANE}, layer);
    rows.forEach((row, family) => {
        const path = barsOf(row, bases, y);
        if (path)
            make(SVG, 'path', {class: `${view.info.families[family][0]}0`, d: path}, layer);
    });
}

/* ---- drawing ---- */

/* A round number of seconds between marks that are some hundred pixels apart. */
function stepOfMarks(seconds, pixels) {
    const rough = seconds * 110 / pixels;
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

function drawAxis(view, width, y, layer) {
    const all = secondsOf(view, view.timeline.runs.end);
    const step = stepOfMarks(all, width);
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    for (let i = 0; i * step < all; i++) {
        const x = i * step / all * width;
        make(SVG, 'line', {class: 'mark', x1: x, x2: x, y1: 0, y2: y + 4}, layer);
        const text = make(SVG, 'text', {x: x + 3, y: y + 14}, layer);
        text.textContent = `${(i * step).toFixed(digits)} s`;
    }
}

function drawSelection(view) {
    const {timeline} = view;
    const {range, runs, width, height, shades, edges} = timeline;
    const from = range ? range.from / runs.end * width : 0;
    const to = range ? range.to / runs.end * width : width;
    setAttributes(shades[0], {x: 0, y: 0, width: from, height});
    setAttributes(shades[1], {x: to, y: 0, width: Math.max(width - to, 0), height});
    edges.forEach((edge, i) => setAttributes(edge, {x: (i ? to : from) - 1, y: 0, width: 2, height,
        display: range ? 'inline' : 'none'}));
    const [begin, end] = formatRange(view, range ? range.from : 0, range ? range.to : runs.end).split('-');
    timeline.from.value = begin;
    timeline.to.value = end;
    timeline.all.disabled = !range;
    timeline.output.textContent = range ?
        `${counted(view.allSamples, 'sample')}, ${percent(view.allSamples, timeline.samples)} of all` : 'drag to select';
    timeline.labels.forEach(([label, lane]) =>
        label.setAttribute('aria-pressed', lane.group && view.state.threads === `=${lane.group.key}` ? 'true' : 'false'));
}

/* Everything anew, for another width. */
function drawTimeline(view) {
    const {timeline} = view;
    const width = Math.max(Math.floor(timeline.area.getBoundingClientRect().width), 100);
    if (width !== timeline.width) {
        timeline.width = width;
        timeline.bars.replaceChildren();
        const sums = sumBuckets(view, Math.floor(width / BUCKET));
        drawAxis(view, width, timeline.height - AXIS, timeline.bars);
        timeline.lanes.forEach((lane, i) => drawLane(view, lane, i * (LANE + LANE_GAP), sums[i], timeline.bars));
    }
    drawSelection(view);
}

/* ---- what a person does ---- */

function intervalAt(view, event) {
    const {timeline} = view;
    const area = timeline.area.getBoundingClientRect();
    const share = (event.clientX - area.left) / area.width;
    return Math.round(Math.max(0, Math.min(share, 1)) * timeline.runs.end);
}

function select(view, from, to) {
    const [begin, end] = from < to ? [from, to] : [to, from];
    const isAll = begin <= 0 && end >= view.timeline.runs.end;
    return isAll || begin === end ? '' : formatRange(view, begin, end);
}

/* The graph follows the mouse; the address changes when it is let go. */
function listenToDrags(view) {
    const {area} = view.timeline;
    let first = null;
    let latest = null;
    const follow = function () {
        if (latest !== null && first !== null)
            show(view, {...view.state, time: select(view, first, latest)});
        latest = null;
    };
    area.addEventListener('pointerdown', function (event) {
        if (event.button !== 0)
            return;
        area.setPointerCapture(event.pointerId);
        const {range} = view.timeline;
        const at = intervalAt(view, event);
        const reach = 6 / view.timeline.width * view.timeline.runs.end;
        first = at;
        if (range && Math.abs(at - range.from) <= reach)
            first = range.to;
        else if (range && Math.abs(at - range.to) <= reach)
            first = range.from;
    });
    area.addEventListener('pointermove', function (event) {
        if (first === null)
            return;
        if (latest === null)
            requestAnimationFrame(follow);
        latest = intervalAt(view, event);
    });
    area.addEventListener('pointerup', function (event) {
        if (first === null)
            return;
        const time = select(view, first, intervalAt(view, event));
        first = null;
        change(view, {time});
    });
    area.addEventListener('pointercancel', () => {
        first = null;
    });
}

function makeTimeInput(view, label, parent) {
    const caption = makeText('label', '', `${label} `, parent);
    const input = make(HTML, 'input', {type: 'number', min: 0, step: 'any', 'aria-label': `${label}, seconds`}, caption);
    input.addEventListener('change', function () {
        const {from, to, runs} = view.timeline;
        const time = `${Number(from.value) || 0}-${Number(to.value) || secondsOf(view, runs.end)}`;
        const range = parseRange(view, time);
        change(view, {time: range ? select(view, range.from, range.to) : ''});
    });
    return input;
}

function makeLaneLabel(view, lane, parent) {
    const label = makeText(lane.group ? 'button' : 'span', 'lane-label', lane.label, parent);
    label.setAttribute('title', brief(lane.title, 400) + (lane.group ? ': click to show it alone' : ''));
    if (lane.group)
        label.addEventListener('click', function () {
            const key = `=${lane.group.key}`;
            change(view, {threads: view.state.threads === key ? view.initial.threads : key});
        });
    return [label, lane];
}

/* Makes the time axis in a <div> of the page. */
function startTimeline(view, holder) {
    const runs = readRuns(view.root);
    const timeline = view.timeline = {runs, range: null, width: 0, samples: view.allSamples, families: familiesOf(view)};
    timeline.lanes = makeLanes(view);
    timeline.height = timeline.lanes.length * (LANE + LANE_GAP) + AXIS;
    const row = makeText('div', 'time-row', '', holder);
    makeText('b', '', 'Time', row);
    timeline.from = makeTimeInput(view, 'from', row);
    timeline.to = makeTimeInput(view, 'to', row);
    timeline.all = makeButton('All', row, () => change(view, {time: ''}));
    timeline.output = makeText('output', '', '', row);
    const table = makeText('div', 'time-lanes', '', holder);
    const names = makeText('div', 'lane-labels', '', table);
    timeline.labels = timeline.lanes.map((lane) => makeLaneLabel(view, lane, names));
    timeline.area = make(SVG, 'svg', {class: 'pyspyc-flamegraph time', height: timeline.height, width: '100%',
        role: 'img', 'aria-label': 'What each thread did over time; the fields above select a range'}, table);
    timeline.bars = make(SVG, 'g', {}, timeline.area);
    timeline.shades = [0, 1].map(() => make(SVG, 'rect', {class: 'shade'}, timeline.area));
    timeline.edges = [0, 1].map(() => make(SVG, 'rect', {class: 'edge'}, timeline.area));
    listenToDrags(view);
    new ResizeObserver(() => drawTimeline(view)).observe(timeline.area);
    applyRange(view);
    updateTree(view);
    updateMatches(view);
    redraw(view);
    drawTimeline(view);
}
