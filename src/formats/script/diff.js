// SPDX-License-Identifier: MIT
/*
 * A picture of two recordings. Its trees have `amounts`, by node: own samples before and after, and those with all that is
 * called. Boxes are as wide as what they stand for is now, and what is gone as wide as it was: see picture_diff.c.
 */

const STEPS = [1, 5]; // percent: where colours get stronger
const CHANGE_COLOURS = ['total', 'self']; // what they can be of

const AMOUNT_ARRAYS = {before: Float64Array, after: Float64Array}; // of who builds a tree

/* scale: what a sample before is in samples after. */
function makeAmounts(count, scale) {
    return {scale, before: new Float64Array(count), after: new Float64Array(count), beforeTotal: null, afterTotal: null};
}

/* Only of some nodes: how many were passed over before each, then its samples before and after. */
function readAmounts(root, tree, info) {
    const next = openColumn(root, 'amounts');
    tree.amounts = makeAmounts(tree.count, info.diff.scale);
    for (let node = next(); node < tree.count; node += 1 + next()) {
        tree.amounts.before[node] = next();
        tree.amounts.after[node] = next();
    }
    addUpAmounts(tree.amounts, tree.parent);
    for (let node = 0; node < tree.count; node++)
        tree.start[node + 1] = tree.start[node] + widthOf(tree.amounts, node);
}

/* A parent has a smaller number than its children have. */
function addUpAmounts(amounts, parent) {
    amounts.beforeTotal = amounts.before.slice();
    amounts.afterTotal = amounts.after.slice();
    for (let node = amounts.before.length - 1; node > 0; node--) {
        amounts.beforeTotal[parent[node]] += amounts.beforeTotal[node];
        amounts.afterTotal[parent[node]] += amounts.afterTotal[node];
    }
}

function widthOf(amounts, node) {
    return amounts.afterTotal[node] > 0 ? amounts.after[node] : amounts.before[node] * amounts.scale;
}

/* Samples that a node of one tree has by itself are counted in a node that is built. */
function addSamples(builder, node, tree, from) {
    builder.weight[node] += weightOf(tree, from);
    if (tree.amounts === null)
        return;
    builder.before[node] += tree.amounts.before[from];
    builder.after[node] += tree.amounts.after[from];
}

function hasSamples(tree, node) {
    return weightOf(tree, node) > 0 || (tree.amounts !== null && tree.amounts.before[node] > 0);
}

/* Weights of what was built, which depend on whether something is left of a node. */
function weighAmounts(builder) {
    const amounts = {
        scale: builder.amounts.scale,
        before: builder.before.subarray(0, builder.count),
        after: builder.after.subarray(0, builder.count),
    };
    addUpAmounts(amounts, builder.parent);
    for (let node = 0; node < builder.count; node++)
        builder.weight[node] = widthOf(amounts, node);
}

/* From what was built to the tree that was made of it, in which nodes without samples have no place. */
function copyAmounts(tree, builder, sizes, places) {
    tree.amounts = makeAmounts(tree.count, builder.amounts.scale);
    for (let node = 0; node < builder.count; node++) {
        if (sizes[node] === 0)
            continue;
        tree.amounts.before[places[node]] = builder.before[node];
        tree.amounts.after[places[node]] = builder.after[node];
    }
    addUpAmounts(tree.amounts, tree.parent);
}

/* ---- what changed ---- */

/* Samples before and after of a node: with all that it calls, or when its own frame was the one that ran. */
function totalAmount(view, node) {
    const {beforeTotal, afterTotal} = view.tree.amounts;
    return [beforeTotal[node], afterTotal[node]];
}

function selfAmount(view, node) {
    if (view.tree.isInverted && node !== ROOT)
        return isLeafFirst(view, node) ? totalAmount(view, node) : [0, 0];
    const {before, after} = view.tree.amounts;
    return [before[node], after[node]];
}

function secondsOf(side, samples) {
    return samples * side.interval_ns / 1e9;
}

function sharesOf({before, after}, [old, now]) {
    return [before.all > 0 ? old / before.all : 0, after.all > 0 ? now / after.all : 0];
}

/* p (1 - p), p being the share that some of all samples let one guess at. */
function guessVariance(some, all) {
    const p = (some + 1) / (all + 2);
    return p * (1 - p);
}

/* What is compared: the change, its variance, and half a look on each side. profile/diff.h explains it. */
function chanceOf({compares, before, after}, [old, now]) {
    if (compares === 'shares') {
        const looks = before.weight / before.all + after.weight / after.all;
        const [oldShare, nowShare] = sharesOf({before, after}, [old, now]);
        return {change: nowShare - oldShare, half: looks / 2,
            variance: guessVariance(old + now, before.all + after.all) * looks};
    }
    const look = (side) => secondsOf(side, 1);
    const variance = (side, samples) => look(side) ** 2 * side.weight * side.all * guessVariance(samples, side.all);
    return {change: secondsOf(after, now) - secondsOf(before, old),
        half: (look(before) * before.weight + look(after) * after.weight) / 2,
        variance: variance(before, old) + variance(after, now)};
}

function isNoise(diff, amount) {
    if (diff.before.all === 0 || diff.after.all === 0)
        return true;
    const {change, half, variance} = chanceOf(diff, amount);
    return Math.abs(change) - half <= diff.errors * Math.sqrt(variance);
}

/* All that is compared, of which a change can be a share. */
function wholeOf({compares, before, after}) {
    return compares === 'shares' ? 1 : Math.max(secondsOf(before, before.all), secondsOf(after, after.all));
}

function isByChange(view) {
    return view.tree.amounts !== null && CHANGE_COLOURS.includes(view.state.colours);
}

/* The class of a box, by how its total or self time changed. */
function changeClass(view, node) {
    const {diff} = view.info;
    const [old, now] = totalAmount(view, node);
    const amount = view.state.colours === 'self' ? selfAmount(view, node) : [old, now];
    const marks = now === 0 && old > 0 ? ' gone' : '';
    if (isNoise(diff, amount))
        return `same${marks}`;
    const {change} = chanceOf(diff, amount);
    const percentage = 100 * Math.abs(change) / wholeOf(diff);
    return (change > 0 ? 'u' : 'd') + STEPS.filter((step) => percentage >= step).length + marks;
}

function signed(number, digits) {
    return (number < 0 ? '' : '+') + number.toFixed(digits);
}

function changeNote(diff, amount) {
    const [old, now] = amount;
    if (old + now === 0)
        return '';
    if (isNoise(diff, amount))
        return 'may be noise';
    return old === 0 ? 'new' : now === 0 ? 'gone' : '';
}

/* Rows of the tip's table: what, from and to in seconds, the difference, from and to in percent, points. */
function changesOf(view, node) {
    const {diff} = view.info;
    const row = function (name, amount) {
        const [old, now] = [secondsOf(diff.before, amount[0]), secondsOf(diff.after, amount[1])];
        const [oldShare, nowShare] = sharesOf(diff, amount).map((share) => 100 * share);
        return [name, `${old.toFixed(3)} s → ${now.toFixed(3)} s`, `${signed(now - old, 3)} s`,
            `${oldShare.toFixed(2)} % → ${nowShare.toFixed(2)} %`, `${signed(nowShare - oldShare, 2)} points`,
            changeNote(diff, amount)];
    };
    return [row('total', totalAmount(view, node)), row('self', selfAmount(view, node))];
}

/* ---- the legend ---- */

const CHANGE_LEGEND = [
    ['u2', 'more time', 'Takes more of the time than before: the stronger the colour, the more'],
    ['d2', 'less', 'Takes less of the time than before'],
    ['d2 gone', 'gone, as wide as it was', 'Was there before, and is not any more'],
    ['same', 'no change beyond noise', 'What changed by so little that sampling may have made it'],
];

function fillChangeLegend(view) {
    for (const [className, text, title] of CHANGE_LEGEND) {
        const item = make(HTML, 'span', {class: 'item', title}, view.head.legend);
        const swatch = make(SVG, 'svg', {class: 'swatch', width: 12, height: 12, 'aria-hidden': 'true'}, item);
        make(SVG, 'rect', {class: className, width: 12, height: 12, rx: 2}, swatch);
        makeText('span', '', text, item);
    }
}
