// SPDX-License-Identifier: MIT
/*
 * The keyboard: one box can be reached with Tab, arrows go to the others, and letters do what the buttons do.
 */

function boxOf(view, element) {
    const slot = view.rects.elements.indexOf(element);
    return slot < 0 ? null : view.boxes[slot];
}

function setCurrent(view, slot) {
    if (view.currentRect) {
        for (const name of ['tabindex', 'role', 'aria-label', 'aria-level'])
            view.currentRect.removeAttribute(name);
    }
    view.current = view.boxes[slot].node;
    view.currentRect = view.rects.elements[slot];
    setAttributes(view.currentRect, {
        tabindex: 0,
        role: 'treeitem',
        'aria-level': view.tree.depth[view.current] + 1,
        'aria-label': describe(view, view.current),
    });
}

/* The mouse gives focus, too, but whoever points at a box has its details already. */
function focusCurrent(view) {
    view.currentRect.focus({preventScroll: view.isAlone});
    if (!view.currentRect.matches(':focus-visible'))
        return;
    const box = boxOf(view, view.currentRect);
    showInWindow(view, box);
    showDetails(view, box, Math.max(box.x, 0), yOf(view, box.node) + view.info.row / 2);
}

/* The head stands above what scrolls below it, which the browser does not know. */
function showInWindow(view, box) {
    if (!view.isAlone)
        return;
    const y = yOf(view, box.node) - window.scrollY;
    const above = y - view.top - view.info.row;
    const below = y + 3 * view.info.row - window.innerHeight;
    if (above < 0)
        window.scrollBy(0, above);
    else if (below > 0)
        window.scrollBy(0, below);
}

function slotsWhere(view, isWanted) {
    return view.boxes.map((box, slot) => slot).filter((slot) => isWanted(view.boxes[slot].node));
}

function widestChild(view, node) {
    const children = slotsWhere(view, (other) => view.tree.parent[other] === node);
    return children.reduce((best, slot) =>
        best < 0 || view.boxes[slot].width > view.boxes[best].width ? slot : best, -1);
}

/* The slot that an arrow leads to, or undefined or -1 when there is none. Up and down are as they are seen. */
function neighbour(view, key) {
    const {tree, current} = view;
    const isInRow = (node) => tree.depth[node] === tree.depth[current];
    switch (key) {
    case view.state.direction === 'icicle' ? 'ArrowDown' : 'ArrowUp':
        return widestChild(view, current);
    case view.state.direction === 'icicle' ? 'ArrowUp' : 'ArrowDown':
        return slotsWhere(view, (node) => node === tree.parent[current])[0];
    case 'ArrowLeft':
        return slotsWhere(view, (node) => isInRow(node) && node < current).pop();
    default:
        return slotsWhere(view, (node) => isInRow(node) && node > current)[0];
    }
}

function pressInBoxes(view, event) {
    if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        zoom(view, view.current);
        return;
    }
    if (!['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(event.key))
        return;
    event.preventDefault();
    const slot = neighbour(view, event.key);
    if (slot >= 0) {
        setCurrent(view, slot);
        focusCurrent(view);
    }
}

/* The next of a state's possible values. */
function nextOf(values, value) {
    return values[(values.indexOf(value) + 1) % values.length];
}

function cycle(view, key) {
    change(view, {[key]: nextOf(CHOICES[key], view.state[key])});
}

function cycleThreads(view) {
    const {threads} = view.head.views;
    if (threads)
        change(view, {threads: nextOf(Array.from(threads.options, (option) => option.value), view.state.threads)});
}

const GLOBAL_KEYS = {
    '/': (view) => view.head.input.focus(),
    n: (view) => goToMatch(view, 1),
    N: (view) => goToMatch(view, -1),
    i: (view) => cycle(view, 'direction'),
    c: (view) => cycle(view, 'order'),
    l: (view) => cycle(view, 'level'),
    r: (view) => change(view, {recursion: !view.state.recursion}),
    t: cycleThreads,
    k: (view) => change(view, {colours: nextOf(coloursOf(view.initial), view.state.colours), kind: ''}),
    u: (view) => change(view, {filters: view.state.filters.slice(0, -1)}),
    0: (view) => zoom(view, ROOT),
    '?': toggleHelp,
};

function openMenuAt(view, node) {
    const box = view.boxes.find((other) => other.node === node);
    openMenu(view, node, Math.max(box.x, 0) + 10, yOf(view, node) + view.info.row / 2);
}

const FRAME_KEYS = {
    m: openMenuAt,
    ContextMenu: openMenuAt,
    h: (view, node) => addFilter(view, node, 'hide', 'frame'),
    H: (view, node) => addFilter(view, node, 'hide', 'module'),
    f: (view, node) => addFilter(view, node, 'focus', 'frame'),
    F: (view, node) => addFilter(view, node, 'focus', 'module'),
    x: (view, node) => addFilter(view, node, 'exclude', 'frame'),
    X: (view, node) => addFilter(view, node, 'exclude', 'module'),
    y: (view, node) => copy(view, node, 'name'),
    s: (view, node) => copy(view, node, 'stack'),
    d: (view, node) => copy(view, node, 'folded'),
    o: openEditor,
};

/* The frame that a key is for: the one with the focus, or the one under the mouse. */
function nodeForKeys(view) {
    if (view.boxLayer.contains(document.activeElement) && view.currentRect.matches(':focus-visible'))
        return view.current;
    return view.hovered === null ? view.current : view.hovered;
}

/* Esc undoes one thing: what is open, the search while its box has the keys, the zoom, the marks. */
function pressEscape(view) {
    const {state} = view;
    const isSearching = document.activeElement === view.head.input && state.search;
    if (closeMenu(view))
        return;
    hideDetails(view);
    if (!isSearching && view.zoomed !== ROOT)
        zoom(view, ROOT);
    else if (state.search || state.kind)
        change(view, {search: '', kind: ''});
}

function isTyping(element) {
    return ['INPUT', 'SELECT', 'TEXTAREA'].includes((element.tagName || '').toUpperCase());
}

function pressKey(view, event) {
    if (event.key === 'Escape')
        return pressEscape(view);
    if (event.key === 'Enter' && event.target === view.head.input)
        return goToMatch(view, event.shiftKey ? -1 : 1);
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target))
        return undefined;
    const key = event.key === 'F10' && event.shiftKey ? 'ContextMenu' : event.key;
    if (Object.hasOwn(GLOBAL_KEYS, key)) {
        event.preventDefault();
        GLOBAL_KEYS[key](view);
    } else if (Object.hasOwn(FRAME_KEYS, key) && !view.menu.isShown) {
        event.preventDefault();
        FRAME_KEYS[key](view, nodeForKeys(view));
    }
    return undefined;
}
