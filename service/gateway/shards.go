// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"hash/maphash"
	"maps"
)

// registryShards is chosen for tens of thousands of apps: BenchmarkRegister.
const registryShards = 256

var registrySeed = maphash.MakeSeed()

// shards is a map in parts, so that a changed copy shares most of them with the original.
type shards[K comparable, V any] [registryShards]map[K]V

func shardOfKey[K comparable](key K) uint64 {
	return maphash.Comparable(registrySeed, key) % registryShards
}

// get returns the value of a key, or none.
func (s *shards[K, V]) get(key K) (V, bool) {
	value, ok := s[shardOfKey(key)][key]
	return value, ok
}

// sharing is a copy of shards while it is changed.
type sharing[K comparable, V any] struct {
	*shards[K, V]
	// own are the parts that are not shared any more.
	own [registryShards]bool
}

// part returns the part of a key, to be changed.
func (s *sharing[K, V]) part(key K) map[K]V {
	i := shardOfKey(key)
	if !s.own[i] {
		s.own[i] = true
		if s.shards[i] = maps.Clone(s.shards[i]); s.shards[i] == nil {
			s.shards[i] = map[K]V{}
		}
	}
	return s.shards[i]
}

func (s *sharing[K, V]) set(key K, value V) { s.part(key)[key] = value }

func (s *sharing[K, V]) remove(key K) { delete(s.part(key), key) }
