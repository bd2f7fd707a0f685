// SPDX-License-Identifier: MIT
/*
 * Trees made from trees: with less detail, with frames hidden, with recursion folded, and leaf first. There can be
 * millions of nodes, so everything is in typed arrays and nothing is made for each node.
 */

const BUILDER_ARRAYS = {
    frame: Uint32Array,
    parent: Uint32Array,
    weight: Float64Array,
    folded: Uint32Array,
    firstChild: Uint32Array,
    lastChild: Uint32Array,
    nextSibling: Uint32Array,
    degree: Uint32Array, // children
};

const FEW = 12; // children of a node that are looked through one by one

/*
 * Nodes that are found or made by parent and frame. They have numbers in the order in which they were made;
 * finishTree() puts them into the order of a tree. Children are linked lists, in which 0 is the end, as the root is no
 * child; those of nodes with many children are in a hash table as well.
 */
function makeBuilder(rootFrame, source) {
    const builder = {
        count: 1,
        capacity: Math.max(source.count, 16),
        arrays: source.amounts ? {...BUILDER_ARRAYS, ...AMOUNT_ARRAYS} : BUILDER_ARRAYS,
        amounts: source.amounts,
        hashed: 0,
        slots: new Uint32Array(1 << 12),
    };
    for (const [name, type] of Object.entries(builder.arrays))
        builder[name] = new type(builder.capacity);
    builder.frame[ROOT] = rootFrame;
    builder.parent[ROOT] = NONE;
    return builder;
}

function growBuilder(builder) {
    builder.capacity = Math.ceil(builder.capacity * 1.5);
    for (const [name, type] of Object.entries(builder.arrays)) {
        const old = builder[name];
        builder[name] = new type(builder.capacity);
        builder[name].set(old);
    }
}

function slotOf(builder, parent, frame) {
    const mask = builder.slots.length - 1;
    let hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(frame, 0x85ebca6b);
    hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
    let slot = (hash ^ hash >>> 13) & mask;
    for (;;) {
        const node = builder.slots[slot];
        if (node === 0 || (builder.parent[node] === parent && builder.frame[node] === frame))
            return slot;
        slot = (slot + 1) & mask;
    }
}

function addToHash(builder, node) {
    if (2 * ++builder.hashed > builder.slots.length) {
        const old = builder.slots;
        builder.slots = new Uint32Array(2 * old.length);
        for (const other of old) {
            if (other !== 0)
                builder.slots[slotOf(builder, builder.parent[other], builder.frame[other])] = other;
        }
    }
    builder.slots[slotOf(builder, builder.parent[node], builder.frame[node])] = node;
}

function addChild(builder, parent, frame) {
    if (builder.count === builder.capacity)
        growBuilder(builder);
    const node = builder.count++;
    builder.frame[node] = frame;
    builder.parent[node] = parent;
    if (builder.degree[parent] === 0)
        builder.firstChild[parent] = node;
    else
        builder.nextSibling[builder.lastChild[parent]] = node;
    builder.lastChild[parent] = node;
    const degree = ++builder.degree[parent];
    if (degree > FEW + 1) {
        addToHash(builder, node);
    } else if (degree === FEW + 1) {
        for (let child = builder.firstChild[parent]; child !== 0; child = builder.nextSibling[child])
            addToHash(builder, child);
    }
    return node;
}

function childFor(builder, parent, frame) {
    const frames = builder.frame;
    let node = builder.lastChild[parent];
    if (node !== 0 && frames[node] === frame)
        return node;
    if (builder.degree[parent] > FEW)
        node = builder.slots[slotOf(builder, parent, frame)];
    else
        for (node = builder.firstChild[parent]; node !== 0 && frames[node] !== frame;)
            node = builder.nextSibling[node];
    return node === 0 ? addChild(builder, parent, frame) : node;
}

/* By node: the samples of its subtree, and how many nodes that has; one without samples has none. */
function measureSubtrees(builder) {
    const {parent} = builder;
    const totals = builder.weight.slice(0, builder.count);
    const sizes = new Uint32Array(builder.count);
    for (let node = builder.count - 1; node > 0; node--) {
        if (totals[node] === 0)
            continue;
        sizes[node]++;
        totals[parent[node]] += totals[node];
        sizes[parent[node]] += sizes[node];
    }
    sizes[ROOT]++;
    return {sizes, totals};
}

/* Siblings stand by the ranks of their frames; behind them those that isByTotal has a 1 for, most samples first. */
function makeOrder(builder, ranks, isByTotal, totals) {
    const {frame} = builder;
    const byRank = (a, b) => ranks[frame[a]] - ranks[frame[b]];
    if (!isByTotal)
        return byRank;
    return (a, b) => isByTotal[frame[a]] - isByTotal[frame[b]] ||
        isByTotal[frame[a]] * (totals[b] - totals[a]) || byRank(a, b);
}

/* Writes the children of a node that have samples into an array, in their order; returns how many there are. */
function sortChildren(builder, sizes, compare, node, children) {
    const {nextSibling} = builder;
    let count = 0;
    let isSorted = true;
    for (let child = builder.firstChild[node]; child !== 0; child = nextSibling[child]) {
        if (sizes[child] === 0)
            continue;
        isSorted = isSorted && (count === 0 || compare(children[count - 1], child) < 0);
        children[count++] = child;
    }
    if (!isSorted)
        children.subarray(0, count).sort(compare);
    return count;
}

/* The tree of what was built, without what has no samples. A parent has a smaller number than its children have. */
function finishTree(builder, ranks, isByTotal = null) {
    if (builder.amounts !== null)
        weighAmounts(builder);
    const {sizes, totals} = measureSubtrees(builder);
    const compare = makeOrder(builder, ranks, isByTotal, totals);
    const tree = makeTree(sizes[ROOT]);
    const {frame, parent, depth, end, start} = tree;
    const folded = tree.folded = new Uint32Array(tree.count);
    const places = new Uint32Array(builder.count);
    const children = new Uint32Array(builder.degree.reduce((most, degree) => Math.max(most, degree), 1));
    parent[ROOT] = NONE;
    for (let node = 0; node < builder.count; node++) {
        if (sizes[node] === 0)
            continue;
        const place = places[node];
        frame[place] = builder.frame[node];
        folded[place] = builder.folded[node];
        end[place] = place + sizes[node];
        start[place + 1] = builder.weight[node];
        const count = sortChildren(builder, sizes, compare, node, children);
        for (let i = 0, next = place + 1; i < count; i++) {
            places[children[i]] = next;
            parent[next] = place;
            depth[next] = depth[place] + 1;
            next += sizes[children[i]];
        }
    }
    for (let node = 0; node < tree.count; node++)
        start[node + 1] += start[node];
    if (builder.amounts !== null)
        copyAmounts(tree, builder, sizes, places);
    return tree;
}

function depthOf(tree) {
    let deepest = 0;
    for (let node = 0; node < tree.count; node++)
        deepest = Math.max(deepest, tree.depth[node]);
    return deepest;
}

/*
 * Follows the current stack, so that a frame that stands in it again is given the node of its outermost place, and
 * counts how often it is there. Depths are those of the tree that is walked.
 */
function makeFolding(builder, deepest, frameCount) {
    const entered = new Uint32Array(deepest + 1).fill(NONE); // by depth: the frame that was entered there
    const open = new Uint32Array(frameCount); // by frame: the node that it has in the current stack
    const times = new Uint32Array(frameCount); // by frame: how often it is in the current stack
    let reached = 0;
    return {
        leave(depth) {
            for (; reached >= depth; reached--) {
                const frame = entered[reached];
                entered[reached] = NONE;
                if (frame !== NONE && --times[frame] === 0)
                    open[frame] = 0;
            }
        },
        enter(depth, parent, frame) {
            const node = open[frame] || childFor(builder, parent, frame);
            open[frame] = node;
            entered[depth] = frame;
            reached = depth;
            builder.folded[node] = Math.max(builder.folded[node], ++times[frame]);
            return node;
        },
    };
}

/*
 * Less of a tree. The plan has an entry for each frame of the tree:
 *
 *   map     the frame that is shown for it
 *   hides   1: not shown; its samples are its caller's
 *   drops   1: stacks that have it are left out
 *   wants   bits; only stacks whose frames have all bits of `wanted` together are kept
 *
 * With `folds`, a frame that stands in its own stack again is put together with the outermost one, and what the inner
 * one called becomes a callee of that. frameCount and ranks are of the frames that are shown.
 */
function reduceTree(tree, plan) {
    const {map, hides, drops, wants, wanted, folds} = plan;
    const builder = makeBuilder(map[tree.frame[ROOT]], tree);
    const deepest = depthOf(tree);
    const shown = new Uint32Array(deepest + 1); // by depth in the tree: the node of the one that is built
    const bits = new Uint32Array(deepest + 1);
    const folding = makeFolding(builder, deepest, plan.frameCount);
    if (wanted === 0)
        addSamples(builder, ROOT, tree, ROOT);
    for (let node = 1; node < tree.count;) {
        const frame = tree.frame[node];
        if (drops[frame] || totalOf(tree, node) === 0) {
            node = tree.end[node];
            continue;
        }
        const depth = tree.depth[node];
        const parent = shown[depth - 1];
        if (folds)
            folding.leave(depth);
        if (hides[frame])
            shown[depth] = parent;
        else if (folds)
            shown[depth] = folding.enter(depth, parent, map[frame]);
        else
            shown[depth] = childFor(builder, parent, map[frame]);
        bits[depth] = bits[depth - 1] | wants[frame];
        if (bits[depth] === wanted)
            addSamples(builder, shown[depth], tree, node);
        node++;
    }
    return finishTree(builder, plan.ranks);
}

/*
 * The tree of the same stacks with their leaves at the root. Groups, for which isGroupFrame has a 1, stay at the root,
 * each with the stacks that it has. What ran most stands first: names say nothing of what is worth to look at there.
 */
function invertTree(tree, isGroupFrame, ranks) {
    const builder = makeBuilder(tree.frame[ROOT], tree);
    const deepest = depthOf(tree);
    const anchors = new Uint32Array(deepest + 1); // by depth: the node that stacks are put on
    const ends = new Uint32Array(deepest + 1); // by depth: the tree's node that it is
    addSamples(builder, ROOT, tree, ROOT);
    for (let node = 1; node < tree.count; node++) {
        const depth = tree.depth[node];
        const above = tree.parent[node];
        anchors[depth] = anchors[depth - 1];
        ends[depth] = ends[depth - 1];
        if (isGroupFrame[tree.frame[node]] && ends[depth] === above) {
            anchors[depth] = childFor(builder, anchors[depth], tree.frame[node]);
            ends[depth] = node;
        }
        if (!hasSamples(tree, node))
            continue;
        let at = anchors[depth];
        for (let caller = node; caller !== ends[depth]; caller = tree.parent[caller]) {
            at = childFor(builder, at, tree.frame[caller]);
            if (tree.folded !== null)
                builder.folded[at] = Math.max(builder.folded[at], tree.folded[caller]);
        }
        addSamples(builder, at, tree, node);
    }
    const inverted = finishTree(builder, ranks, isGroupFrame.map((isOne) => 1 - isOne));
    inverted.isInverted = true;
    return inverted;
}

/* Samples by frame that ended in it. The tree must be root first. */
function weightsByFrame(tree, frameCount) {
    const weights = new Float64Array(frameCount);
    for (let node = 0; node < tree.count; node++)
        weights[tree.frame[node]] += weightOf(tree, node);
    return weights;
}
