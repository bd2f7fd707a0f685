// SPDX-License-Identifier: MIT
/*
 * From the file's tree to the one that is shown: which frames are told apart, hidden or left out.
 */

function filterMatches(view, filter, frame) {
    switch (filter.scope) {
    case 'frame':
        return filterKey(view, 'frame', frame) === filter.key;
    case 'module':
        return frame.short !== '' && frame.short === filter.key;
    case 'package':
        return frame.short !== '' && packageFolder(frame) === filter.key;
    default:
        return view.info.families[frame.family][1] === filter.key;
    }
}

function packageFolder(frame) {
    return frame.short.slice(0, Math.max(frame.short.indexOf('/'), 0));
}

/* What stands for a frame, its module, package or kind in a filter. Lines do not matter: they change. */
function filterKey(view, scope, frame) {
    switch (scope) {
    case 'frame':
        if (isGroup(frame))
            return groupKey(frame);
        if (frame.kind === KERNEL)
            return labelsOf(frame)[0];
        return frame.short ? `${frame.name} (${frame.short})` : frame.name;
    case 'module':
        return frame.short;
    case 'package':
        return packageFolder(frame);
    default:
        return view.info.families[frame.family][1];
    }
}

function groupOf(view, threads) {
    return view.groups.find((group) => threads === `=${group.key}`);
}

/* Groups that have no box in this view of the threads. */
function isMerged(threads, frame) {
    if (frame.kind === THREAD)
        return threads !== 'apart' && threads !== 'threads';
    return frame.kind === PROCESS && threads !== 'apart' && threads !== 'processes';
}

/* What reduceTree() is to do for the state, or null when the file's own tree is what is wanted. */
function makePlan(view) {
    const {fine, level, state} = view;
    const count = fine.length;
    const plan = {
        map: level.map,
        ranks: level.ranks,
        frameCount: level.frames.length,
        hides: new Uint8Array(count),
        drops: new Uint8Array(count),
        wants: new Uint32Array(count),
        wanted: 0,
        folds: state.recursion,
    };
    const want = function (isWanted) {
        const bit = plan.wanted + 1;
        plan.wanted += bit;
        for (let i = 0; i < count; i++)
            plan.wants[i] |= isWanted(i) ? bit : 0;
    };
    const mark = (marks, filter) => fine.forEach((frame, i) => {
        marks[i] |= i > 0 && filterMatches(view, filter, frame) ? 1 : 0;
    });
    fine.forEach((frame, i) => {
        plan.hides[i] = i > 0 && isMerged(state.threads, frame) ? 1 : 0;
    });
    const group = groupOf(view, state.threads);
    if (group)
        want((i) => i === group.frame);
    for (const filter of state.filters) {
        if (filter.operation === 'hide')
            mark(plan.hides, filter);
        else if (filter.operation === 'exclude')
            mark(plan.drops, filter);
        else
            want((i) => i > 0 && filterMatches(view, filter, fine[i]));
    }
    const isIdle = level.isWhole && !plan.folds && plan.wanted === 0 &&
        !plan.hides.includes(1) && !plan.drops.includes(1);
    return isIdle ? null : plan;
}

function findLevel(view, name) {
    if (!view.levels[name])
        view.levels[name] = makeLevel(name, view.fine, view.info);
    return view.levels[name];
}

/* The modules in which most samples ended get colours of their own. */
function colourModules(view) {
    const weights = new Map();
    view.level.frames.forEach(function (frame, i) {
        if (frame.package)
            weights.set(frame.package, (weights.get(frame.package) || 0) + view.selfByFrame[i]);
    });
    const modules = [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    view.moduleColours = new Map(modules.slice(0, MODULE_COLOURS).map(([name], i) => [name, `m${i}`]));
}

/* An address can name threads that this recording does not have. */
function checkThreads(view) {
    const {threads} = view.state;
    const isKnown = THREAD_CHOICES.includes(threads) || groupOf(view, threads);
    view.missing = isKnown ? '' : threads.replace(/^=/, '');
    if (!isKnown)
        view.state = {...view.state, threads: view.initial.threads};
}

/* Makes the tree anew, and finds in it what was zoomed. */
function updateTree(view) {
    checkThreads(view);
    const {state} = view;
    view.level = findLevel(view, state.level);
    const plan = makePlan(view);
    view.tree = plan ? reduceTree(view.base, plan) : view.base;
    view.selfByFrame = weightsByFrame(view.tree, view.level.frames.length);
    if (state.order === 'callee') {
        const groups = Uint8Array.from(view.level.frames, (frame) => isGroup(frame) ? 1 : 0);
        view.tree = invertTree(view.tree, groups, view.level.ranks);
    }
    colourModules(view);
    view.rows = 0;
    view.matches = null;
    zoomToPath(view);
}

function zoomToPath(view) {
    const {node, missing} = followPath(view, view.state.path);
    view.zoomed = view.current = node;
    view.missing = view.missing || missing;
}

function updateMatches(view) {
    const pattern = view.state.search;
    view.matches = pattern ? findMatches(view.tree, view.level.frames, pattern) : null;
}
