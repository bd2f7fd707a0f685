// SPDX-License-Identifier: MIT
/*
 * What somebody wants to see, and how it stands in the address: behind its #, as PARAMETER=VALUE&..., by names and not
 * by numbers, so that it means the same in another run. What is as in the still picture is left out.
 *
 *     path=all;main;work&search=json&threads=apart&order=callee&hide=frame:decode (json/decoder.py)
 */

const LONGEST_NAME = 200; // characters of a frame in an address

const CHOICES = {
    level: ['line', 'function', 'name'],
    order: ['caller', 'callee'],
    direction: ['flame', 'icicle'],
    colours: ['kind', 'module', ...CHANGE_COLOURS],
};
const THREAD_CHOICES = ['together', 'threads', 'processes', 'apart']; // or =KEY of one group
const OPERATIONS = ['hide', 'focus', 'exclude'];
const SCOPES = ['frame', 'module', 'package', 'kind'];

/* What colours can tell in a picture that shows this at first. */
function coloursOf(initial) {
    return CHANGE_COLOURS.includes(initial.colours) ? [...CHANGE_COLOURS, 'kind', 'module'] : ['kind', 'module'];
}

function threadsShown(shown) {
    if (shown.threads)
        return shown.processes ? 'apart' : 'threads';
    return shown.processes ? 'processes' : 'together';
}

/* What the still picture shows. */
function initialState(info) {
    return {
        level: info.shown.level,
        threads: threadsShown(info.shown),
        order: 'caller',
        direction: 'flame',
        recursion: false, // whether it is folded
        colours: info.diff ? 'total' : 'kind',
        kind: '', // of the legend: what is not of it is dim
        search: '',
        filters: [], // {operation, scope, key}
        time: '', // the range that is shown, where there is a time axis
        path: [], // names, from the root to the zoomed frame
    };
}

/* ---- frames by name ---- */

function nameOf(view, frame) {
    const name = isGroup(frame) ? groupKey(frame) : frame.name;
    return name.slice(0, LONGEST_NAME);
}

function fullNameOf(view, frame) {
    return isGroup(frame) ? nameOf(view, frame) : frame.labels[0].slice(0, LONGEST_NAME);
}

/* The names that lead to a node: with their place only where another sibling has the same name. */
function pathTo(view, node) {
    const {tree} = view;
    const frameOf = (other) => view.level.frames[tree.frame[other]];
    return [...ancestorsOf(tree, node), node].map(function (at) {
        const name = nameOf(view, frameOf(at));
        const isSame = (other) => other !== at && nameOf(view, frameOf(other)) === name;
        const isUnique = at === ROOT || !childrenOf(tree, tree.parent[at]).some(isSame);
        return isUnique ? name : fullNameOf(view, frameOf(at));
    });
}

/* How well a name fits a frame: 3 with its place, 2 with its file, 1 by itself, 0 not at all. */
function likeness(view, frame, name) {
    if (fullNameOf(view, frame) === name)
        return 3;
    const [, bare, file] = /^(.*) \((.*?)(?::-?\d+)?\)$/s.exec(name) || [null, null, ''];
    if (bare === frame.name && file === frame.short)
        return 2;
    return nameOf(view, frame) === name || bare === frame.name ? 1 : 0;
}

/* The child that fits best, and of those the widest; NONE when there is none. */
function findChild(view, node, name) {
    const {tree} = view;
    let best = NONE;
    let bestRank = [0, 0];
    for (const child of childrenOf(tree, node)) {
        const rank = [likeness(view, view.level.frames[tree.frame[child]], name), totalOf(tree, child)];
        if (rank[0] > bestRank[0] || (rank[0] === bestRank[0] && rank[0] > 0 && rank[1] > bestRank[1])) {
            best = child;
            bestRank = rank;
        }
    }
    return best;
}

/* The same, also through groups that are now between the node and its child. */
function findBelow(view, node, name) {
    const {tree} = view;
    const found = findChild(view, node, name);
    if (found !== NONE)
        return found;
    const groups = childrenOf(tree, node).filter((child) => isGroup(view.level.frames[tree.frame[child]]));
    groups.sort((a, b) => totalOf(tree, b) - totalOf(tree, a));
    for (const group of groups) {
        const below = findBelow(view, group, name);
        if (below !== NONE)
            return below;
    }
    return NONE;
}

/* The deepest node that a path leads to, and the first name that leads nowhere. */
function followPath(view, path) {
    const groups = new Set(view.groups.map((group) => nameOf(view, view.fine[group.frame])));
    let node = ROOT;
    for (const name of path.slice(1)) {
        const below = findBelow(view, node, name);
        if (below !== NONE)
            node = below;
        else if (!groups.has(name))
            return {node, missing: name};
    }
    return {node, missing: ''};
}

/* ---- the address ---- */

function joinPath(path) {
    return path.map((name) => name.replace(/[\\;]/g, '\\$&')).join(';');
}

function splitPath(text) {
    return (text.match(/(?:\\.|[^\\;])+/gs) || []).map((name) => name.replace(/\\(.)/gs, '$1'));
}

/* Characters that mean nothing behind a # stay readable. */
function formatAddress(state, initial) {
    const address = new URLSearchParams();
    if (state.path.length > 1)
        address.set('path', joinPath(state.path));
    for (const key of ['search', 'threads', 'order', 'direction', 'level', 'colours', 'kind', 'time']) {
        if (state[key] !== initial[key])
            address.set(key, state[key]);
    }
    if (state.recursion)
        address.set('recursion', 'folded');
    for (const {operation, scope, key} of state.filters)
        address.append(operation, `${scope}:${key}`);
    return address.toString().replace(/%(3B|2F|3A|28|29|2C|40)/g, (code) => decodeURIComponent(code));
}

function parseFilters(address) {
    const filters = [];
    for (const [operation, value] of address) {
        const [, scope, key] = /^(\w+):(.*)$/s.exec(value) || [];
        if (OPERATIONS.includes(operation) && SCOPES.includes(scope))
            filters.push({operation, scope, key});
    }
    return filters;
}

/* Anything can stand in an address: what is not known is passed over. */
function parseAddress(text, initial) {
    const address = new URLSearchParams(text);
    const state = {...initial, path: splitPath(address.get('path') || ''), filters: parseFilters(address)};
    for (const key in CHOICES) {
        if (CHOICES[key].includes(address.get(key)))
            state[key] = address.get(key);
    }
    for (const key of ['search', 'threads', 'kind', 'time'])
        state[key] = address.get(key) || initial[key];
    if (!coloursOf(initial).includes(state.colours))
        state.colours = initial.colours;
    state.recursion = address.get('recursion') === 'folded';
    return state;
}

/* Puts the state into the address, as a new step of the browser's history or in place of the current one. */
function writeAddress(view, isNewStep) {
    if (!view.ownsAddress)
        return;
    const text = formatAddress(view.state, view.initial);
    if (text === window.location.hash.slice(1))
        return;
    const url = window.location.href.replace(/#.*$/s, '') + (text && `#${text}`);
    try {
        window.history[isNewStep ? 'pushState' : 'replaceState'](null, '', url);
    } catch (error) {
        say(view, 'The address cannot hold this view'); // a sandbox, or too long a path
    }
}
