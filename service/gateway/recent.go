// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

// recent is a map that knows in which order its entries were used, so that what was
// not used for longest can go first. It is not safe for concurrent use.
type recent[K comparable, V any] struct {
	nodes map[K]*node[K, V]
	// root closes the ring of nodes: behind it comes what was used last.
	root node[K, V]
}

type node[K comparable, V any] struct {
	before, after *node[K, V]
	key           K
	value         V
}

// add sets the value of a key that there is not, as used last.
func (l *recent[K, V]) add(key K, value V) *node[K, V] {
	if l.nodes == nil {
		l.nodes = map[K]*node[K, V]{}
		l.root.before, l.root.after = &l.root, &l.root
	}
	n := &node[K, V]{key: key, value: value}
	l.nodes[key] = n
	l.link(n)
	return n
}

// use makes the node the one that was used last.
func (l *recent[K, V]) use(n *node[K, V]) {
	if l.root.after != n {
		n.before.after, n.after.before = n.after, n.before
		l.link(n)
	}
}

func (l *recent[K, V]) link(n *node[K, V]) {
	n.before, n.after = &l.root, l.root.after
	n.before.after, n.after.before = n, n
}

// oldest returns the node that was not used for longest, or nil.
func (l *recent[K, V]) oldest() *node[K, V] {
	if len(l.nodes) == 0 {
		return nil
	}
	return l.root.before
}

func (l *recent[K, V]) remove(n *node[K, V]) {
	n.before.after, n.after.before = n.after, n.before
	delete(l.nodes, n.key)
}
