// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

const (
	// packerSamples is how many texts a packer learns from at most.
	packerSamples = 8
	// packerWindow is how far back equal parts of a text and its samples are looked for.
	packerWindow = 32 << 10
	packerID     = 1
)

// packer keeps many short texts that are much alike in little memory: each compressed by
// itself, with samples of them as the dictionary.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newPacker(samples [][]byte) (*packer, error) {
	var dictionary []byte
	for _, s := range samples[:min(len(samples), packerSamples)] {
		if len(dictionary)+len(s) <= packerWindow/2 {
			dictionary = append(dictionary, s...)
		}
	}
	encoder, failed := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(packerID, dictionary), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(packerWindow))
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(packerID, dictionary), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	return &packer{encoder, decoder}, errors.Join(failed, err)
}

// pack returns a text in short; it uses scratch and returns it for the next.
func (p *packer) pack(text, scratch []byte) (packed, next []byte) {
	scratch = p.encoder.EncodeAll(text, scratch[:0])
	return append(make([]byte, 0, len(scratch)), scratch...), scratch
}

// unpack returns the text, in the memory of scratch where that is enough.
func (p *packer) unpack(packed, scratch []byte) ([]byte, error) {
	return p.decoder.DecodeAll(packed, scratch[:0])
}
