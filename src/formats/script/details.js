// SPDX-License-Identifier: MIT
/*
 * What is said of one frame: in the tip beside it, and to screen readers.
 */

function counted(number, noun) {
    return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

function percent(samples, whole) {
    return `${(whole > 0 ? 100 * samples / whole : 0).toFixed(2)} %`;
}

function seconds(view, samples) {
    const time = samples * view.info.interval_ns / 1e9;
    return `${time.toFixed(time < 10 ? 3 : 2)} s`;
}

/* Samples in which the node's own frame was the one that ran: leaf first, that is the outermost one. */
function selfOf(view, node) {
    const {tree} = view;
    if (!tree.isInverted || node === ROOT || isGroup(view.level.frames[tree.frame[node]]))
        return weightOf(tree, node);
    return isLeafFirst(view, node) ? totalOf(tree, node) : 0;
}

/* Whether a node of an inverted tree is where stacks begin. */
function isLeafFirst(view, node) {
    const above = view.tree.parent[node];
    return above === ROOT || isGroup(view.level.frames[view.tree.frame[above]]);
}

/* The wholes that a share can be of: name and samples. */
function wholesFor(view, node) {
    const {tree, zoomed} = view;
    const shown = totalOf(tree, ROOT);
    const wholes = [['of all', view.allSamples]];
    if (shown < view.allSamples)
        wholes.push(['of shown', shown]);
    if (zoomed !== ROOT && node >= zoomed && node < tree.end[zoomed])
        wholes.push(['of the zoomed frame', totalOf(tree, zoomed)]);
    return wholes;
}

/* The rows of the tip's table: what, seconds, samples, shares. */
function measuresOf(view, node) {
    if (view.info.diff)
        return changesOf(view, node);
    const wholes = wholesFor(view, node);
    const row = (name, samples) => [name, ...(view.info.interval_ns ? [seconds(view, samples)] : []),
        counted(samples, 'sample'), ...wholes.map(([of, whole]) => `${percent(samples, whole)} ${of}`)];
    return [row('total', totalOf(view.tree, node)), row('self', selfOf(view, node))];
}

function notesOf(view, node) {
    const frame = view.level.frames[view.tree.frame[node]];
    const notes = [frame.place, view.info.families[frame.family][1]];
    const suffix = suffixOf(view, node);
    if (suffix)
        notes.push(`recursion folded,${suffix} at most in one stack`);
    return notes.filter((note) => note);
}

function describe(view, node) {
    const frame = view.level.frames[view.tree.frame[node]];
    const measures = measuresOf(view, node).map((row) => row.join(' '));
    return [frame.name, ...notesOf(view, node), ...measures].map((text) => brief(text, 400)).join(', ');
}

/* The part of the picture that can be seen, in its own coordinates. */
function visibleArea(view) {
    const area = view.root.getBoundingClientRect();
    return {top: Math.max(0, -area.top), bottom: window.innerHeight - area.top, right: view.width};
}

function outline(view, box) {
    setAttributes(view.outline, {
        x: box.x,
        y: yOf(view, box.node),
        width: Math.max(box.width - 0.5, 1),
        height: view.info.row - 1,
        display: 'inline',
    });
}

function fillTip(view, node) {
    const frame = view.level.frames[view.tree.frame[node]];
    const {content} = view.tip;
    content.replaceChildren();
    makeText('div', 'name', brief(frame.name, 400), content);
    for (const note of notesOf(view, node))
        makeText('div', 'note', brief(note, 400), content);
    const table = make(HTML, 'table', {}, content);
    for (const row of measuresOf(view, node)) {
        const line = make(HTML, 'tr', {}, table);
        row.forEach((text, i) => makeText(i === 0 ? 'th' : 'td', '', text, line));
    }
}

/* Shows the details of a box beside a point. */
function showDetails(view, box, x, y) {
    outline(view, box);
    fillTip(view, box.node);
    showPanel(view.tip, visibleArea(view), x, y, 14);
}

function hideDetails(view) {
    hidePanel(view.tip);
    view.outline.setAttribute('display', 'none');
}
