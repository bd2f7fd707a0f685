// SPDX-License-Identifier: MIT
/*
 * Drawing: the boxes on the screen are `view.boxes`, in the order of their nodes. Only boxes of half a pixel and more
 * are drawn; sums and searches see every node.
 */

const SMALLEST_BOX = 0.5; // pixels
const LABEL_PADDING = 4;
const LABEL_BASELINE = 13;
const MODULE_COLOURS = 7; // flamegraph.css has so many

/* The boxes of a view: the zoomed node over the whole width, its ancestors below it, its descendants above. */
function layOut(view) {
    const {tree, zoomed} = view;
    const {margin} = view.info;
    const width = view.width - 2 * margin;
    const scale = width / Math.max(totalOf(tree, zoomed), 1);
    const boxes = ancestorsOf(tree, zoomed).map((node) => ({node, x: margin, width, isFaded: true}));
    boxes.push({node: zoomed, x: margin, width, isFaded: false}); // even when filters leave no samples
    view.narrow = 0;
    for (let node = zoomed + 1; node < tree.end[zoomed];) {
        const boxWidth = totalOf(tree, node) * scale;
        if (boxWidth < SMALLEST_BOX) {
            view.narrow += tree.end[node] - node;
            node = tree.end[node];
            continue;
        }
        const x = margin + (tree.start[node] - tree.start[zoomed]) * scale;
        boxes.push({node, x, width: boxWidth, isFaded: false});
        node++;
    }
    return boxes;
}

/*
 * Makes place for the deepest box. While one tree is looked at the picture grows and never shrinks: boxes would run
 * away from the mouse. A flame graph that grows stays where it is in the window.
 */
function updateHeight(view) {
    const {row, bottom} = view.info;
    const deepest = view.boxes.reduce((depth, box) => Math.max(depth, view.tree.depth[box.node]), 0);
    view.rows = Math.max(view.rows, deepest + 1);
    const height = view.top + view.rows * row + bottom;
    const grown = height - view.height;
    view.height = height;
    view.root.setAttribute('height', view.isAlone ? Math.max(height, window.innerHeight) : height);
    if (view.isAlone && view.state.direction === 'flame' && grown > 0)
        window.scrollBy(0, grown);
}

function yOf(view, node) {
    const depth = view.tree.depth[node];
    if (view.state.direction === 'icicle')
        return view.top + depth * view.info.row;
    return view.height - view.info.bottom - (depth + 1) * view.info.row;
}

/* What a frame is coloured by: its kind, or one of the modules with most samples. */
function legendKeyOf(view, frame) {
    return view.state.colours === 'kind' ? view.info.families[frame.family][1] : frame.package;
}

function colourOf(view, frame) {
    if (view.state.colours === 'kind' || isGroup(frame))
        return view.info.families[frame.family][0] + frame.shade;
    return view.moduleColours.get(frame.package) || `r${frame.shade}`;
}

/* Classes by frame; there are far fewer of them than boxes. */
function markFrames(view) {
    const isKnown = view.level.frames.some((frame) => legendKeyOf(view, frame) === view.state.kind);
    const kind = isKnown && !isByChange(view) ? view.state.kind : ''; // an address can name any
    view.classes = view.level.frames.map(function (frame, i) {
        const isMatch = view.matches !== null && view.matches.byFrame[i] === 1;
        const isDim = kind && legendKeyOf(view, frame) !== kind;
        return [colourOf(view, frame), (isMatch ? ' match' : '') + (isDim ? ' dim' : '')];
    });
}

function suffixOf(view, node) {
    const {folded} = view.tree;
    return view.state.recursion && folded !== null && folded[node] > 1 ? ` ×${folded[node]}` : '';
}

function drawBox(view, box) {
    const number = view.tree.frame[box.node];
    const [frameColour, marks] = view.classes[number];
    const colour = isByChange(view) ? changeClass(view, box.node) : frameColour;
    const mark = marks + (box.isFaded ? ' faded' : '');
    const y = yOf(view, box.node);
    const width = box.width - (box.width >= 2 ? 0.5 : 0);
    setAttributes(view.rects.take(), {
        class: colour + mark,
        x: box.x.toFixed(2),
        y,
        width: width.toFixed(2),
        height: view.info.row - 1,
    });
    const suffix = suffixOf(view, box.node);
    const label = fitLabel(view.measure, view.level.frames[number], suffix, width - 2 * LABEL_PADDING);
    if (!label)
        return;
    const text = view.labels.take();
    setAttributes(text, {class: mark, x: (box.x + LABEL_PADDING).toFixed(2), y: y + LABEL_BASELINE});
    if (text.textContent !== label)
        text.textContent = label;
}

function draw(view) {
    const hadFocus = view.boxLayer.contains(document.activeElement);
    view.boxes = layOut(view);
    updateHeight(view);
    view.rects.begin();
    view.labels.begin();
    for (const box of view.boxes)
        drawBox(view, box);
    view.rects.finish();
    view.labels.finish();
    view.hovered = null;
    hideDetails(view);
    const current = view.boxes.findIndex((box) => box.node === view.current);
    setCurrent(view, current < 0 ? view.boxes.findIndex((box) => box.node === view.zoomed) : current);
    if (hadFocus)
        focusCurrent(view);
}
