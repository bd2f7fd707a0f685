// SPDX-License-Identifier: MIT
/*
 * The flame graph that is shown in an <svg>: one `view` object holds all of it.
 *
 *     const view = startGraph(svg);
 *
 * In a page with a time axis (timeline.js), the samples are those of a range of time.
 */

const TREE_STATES = ['level', 'threads', 'order', 'recursion', 'filters'];

/* Shows another state. */
function show(view, state) {
    const old = view.state;
    view.state = state;
    view.missing = '';
    const isOtherTime = view.timeline !== null && old.time !== state.time;
    if (isOtherTime)
        applyRange(view);
    const isOtherTree = isOtherTime || TREE_STATES.some((key) => old[key] !== state[key]);
    if (isOtherTree)
        updateTree(view);
    else if (state.path !== old.path)
        zoomToPath(view);
    if (isOtherTree || state.search !== old.search)
        updateMatches(view);
    if (state.direction !== old.direction)
        view.rows = 0;
    redraw(view);
    if (view.timeline)
        drawTimeline(view);
    if (view.isAlone && state.direction !== old.direction)
        window.scrollTo(0, state.direction === 'flame' ? view.height : 0);
}

function redraw(view) {
    updateHead(view);
    markFrames(view);
    measureHead(view);
    draw(view);
    updateFacts(view);
    if (measureHead(view))
        draw(view);
}

function tellWhatIsShown(view) {
    const left = view.allSamples - totalOf(view.tree, ROOT);
    const texts = [`${counted(view.tree.count, 'frame')} shown`];
    if (left > 0)
        texts.push(`${percent(left, view.allSamples)} of all samples left out`);
    if (view.missing)
        texts.push(`There is no ${brief(view.missing, 80)} here; this is what would be around it`);
    return texts.join('. ');
}

/* Somebody wants something else: values of the state that change. */
function change(view, values) {
    const path = 'order' in values && values.order !== view.state.order ? [] : view.state.path;
    show(view, {...view.state, path, ...values});
    view.state.path = pathTo(view, view.zoomed);
    writeAddress(view, true);
    say(view, tellWhatIsShown(view));
}

function zoom(view, node) {
    view.zoomed = node;
    view.current = node;
    view.state = {...view.state, path: pathTo(view, node)};
    redraw(view);
    writeAddress(view, true);
    say(view, `Zoomed to ${describe(view, node)}`);
}

/* ---- search ---- */

/* While somebody types, the address changes with the last word only. */
function search(view, pattern) {
    view.state = {...view.state, search: pattern};
    updateMatches(view);
    redraw(view);
    writeAddress(view, false);
}

/* The nearest ancestor in which a node's box is wide enough to be read; the zoomed one when that will do. */
function roomFor(view, node) {
    const {tree, zoomed} = view;
    const wide = 60 / view.width;
    const isInside = node >= zoomed && node < tree.end[zoomed];
    if (isInside && totalOf(tree, node) / totalOf(tree, zoomed) >= wide)
        return zoomed;
    let at = node;
    while (tree.parent[at] !== NONE && totalOf(tree, node) / totalOf(tree, tree.parent[at]) >= wide)
        at = tree.parent[at];
    return at;
}

function goToMatch(view, step) {
    const {matches, tree} = view;
    if (!matches || matches.count === 0)
        return;
    const order = orderMatches(tree, matches);
    matches.at = matches.at < 0 ? (step > 0 ? 0 : order.length - 1) : (matches.at + step + order.length) % order.length;
    const node = order[matches.at];
    const room = roomFor(view, node);
    if (room !== view.zoomed)
        zoom(view, room);
    const slot = view.boxes.findIndex((box) => box.node === node);
    updateSearch(view);
    setCurrent(view, slot);
    showInWindow(view, view.boxes[slot]);
    showDetails(view, view.boxes[slot], Math.max(view.boxes[slot].x, 0), yOf(view, node) + view.info.row / 2);
    say(view, `Match ${matches.at + 1} of ${matches.count}: ${describe(view, node)}`);
}

/* ---- start ---- */

function makeView(root, ownsAddress) {
    const info = JSON.parse(parts(root, 'info').join(''));
    const fine = readFrames(root, info);
    const base = readTree(root, info);
    const isAlone = document.documentElement === root;
    /* Under a time axis the root stands beside it. */
    const initial = {...initialState(info), direction: ownsAddress && !isAlone ? 'icicle' : 'flame'};
    const view = {
        root, info, fine, base,
        groups: findGroups(base, fine, info),
        levels: {},
        allSamples: totalOf(base, ROOT),
        isAlone,
        ownsAddress,
        timeline: null, // of a page that has one, see timeline.js
        initial,
        state: initial,
        editor: readEditor(),
        width: 0,
        top: 0,
        height: Number(root.getAttribute('height')),
        rows: 0,
        narrow: 0,
        zoomed: ROOT,
        current: ROOT,
        currentRect: null,
        hovered: null, // the node under the mouse
        matches: null,
        boxes: [],
    };
    const measured = root.querySelector('.head .facts');
    view.measure = makeMeasure(measured);
    const live = make(SVG, 'g', {class: 'live'});
    root.querySelector('.boxes').replaceWith(live);
    root.querySelector('.head').remove();
    view.boxLayer = make(SVG, 'g', {class: 'boxes', role: 'tree',
        'aria-label': 'Frames: arrows go to caller, callee and neighbours, Enter zooms, m opens a menu'}, live);
    view.rects = makePool('rect', view.boxLayer);
    view.labels = makePool('text', make(SVG, 'g', {class: 'labels', 'aria-hidden': 'true'}, live));
    view.outline = make(SVG, 'rect', {class: 'outline', display: 'none'}, live);
    view.head = makeHead(view);
    view.tip = makePanel(root, 'tip', {'aria-hidden': 'true'});
    view.menu = makePanel(root, 'menu', {role: 'dialog'});
    view.help = makePanel(root, 'help', {role: 'dialog', 'aria-label': 'Keys'});
    return view;
}

function hover(view, event) {
    const box = boxOf(view, event.target);
    view.hovered = box ? box.node : null;
    if (!box || view.menu.isShown)
        return;
    const area = view.root.getBoundingClientRect();
    showDetails(view, box, event.clientX - area.left, event.clientY - area.top);
}

function leaveBoxes(view) {
    view.hovered = null;
    if (!view.menu.isShown)
        hideDetails(view);
}

function listenToBoxes(view) {
    const {boxLayer} = view;
    boxLayer.addEventListener('pointermove', (event) => hover(view, event));
    boxLayer.addEventListener('pointerleave', () => leaveBoxes(view));
    boxLayer.addEventListener('click', function (event) {
        const box = boxOf(view, event.target);
        if (box && !closeMenu(view))
            zoom(view, box.node);
    });
    boxLayer.addEventListener('contextmenu', function (event) {
        const box = boxOf(view, event.target);
        const area = view.root.getBoundingClientRect();
        event.preventDefault();
        setCurrent(view, view.boxes.indexOf(box));
        openMenu(view, box.node, event.clientX - area.left, event.clientY - area.top);
    });
    boxLayer.addEventListener('keydown', (event) => pressInBoxes(view, event));
    boxLayer.addEventListener('focusin', () => focusCurrent(view));
    boxLayer.addEventListener('focusout', () => leaveBoxes(view));
}

/* Panels go when somebody turns to something else. */
function listenToPanels(view) {
    for (const panel of [view.menu, view.help])
        panel.content.addEventListener('keydown', pressInMenu);
    view.root.addEventListener('pointerdown', function (event) {
        const isInside = [view.menu, view.help].some((panel) => panel.holder.contains(event.target)) ||
            event.target === view.head.help || view.boxLayer.contains(event.target);
        if (!isInside)
            closeMenu(view);
    });
}

/* The address was changed by the browser's buttons, or by hand. */
function goToAddress(view) {
    closeMenu(view);
    show(view, parseAddress(window.location.hash.slice(1), view.initial));
    say(view, tellWhatIsShown(view));
}

function listen(view) {
    listenToBoxes(view);
    listenToPanels(view);
    (view.ownsAddress ? document : view.root).addEventListener('keydown', (event) => pressKey(view, event));
    new ResizeObserver(() => resize(view)).observe(view.root);
    window.addEventListener('resize', () => resize(view));
    if (view.ownsAddress)
        window.addEventListener('popstate', () => goToAddress(view));
    if (view.isAlone)
        window.addEventListener('scroll', () =>
            view.head.group.setAttribute('transform', `translate(0 ${window.scrollY})`));
}

function resize(view) {
    const width = Math.floor(view.root.getBoundingClientRect().width);
    if (width <= 0)
        return;
    if (width !== view.width) {
        view.width = width;
        redraw(view);
    } else if (measureHead(view)) {
        draw(view);
    } else {
        updateHeight(view);
    }
}

/* A page that shows several pictures keeps its address; one with a single picture can let it have it. */
function startGraph(root, ownsAddress = document.documentElement === root) {
    const view = makeView(root, ownsAddress);
    setAttributes(root, {width: '100%', role: 'group'});
    root.removeAttribute('viewBox');
    if (!view.isAlone)
        root.querySelector('title').remove(); // it would be a tooltip of everything
    view.width = Math.floor(root.getBoundingClientRect().width);
    if (view.ownsAddress)
        view.state = parseAddress(window.location.hash.slice(1), view.initial);
    updateTree(view);
    updateMatches(view);
    redraw(view);
    if (view.isAlone && view.state.direction === 'flame')
        window.scrollTo(0, view.height);
    listen(view);
    if (view.missing)
        say(view, tellWhatIsShown(view));
    return view;
}
