// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package accesslog writes a line of JSON for each call that the service answers, to a
// file or to standard output.
//
// Writing never holds a call up: lines go to a buffer in memory, from where a goroutine
// of its own writes them. Where the disk is too slow for that, lines are lost, and counted.
package accesslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Stdout as a path stands for standard output.
const Stdout = "-"

const (
	// defaultBuffer bounds what waits to be written, in bytes.
	defaultBuffer = 8 << 20
	// flushAt is how much is written at once where there is as much, and flushEvery how long
	// a line waits for others.
	flushAt    = 64 << 10
	flushEvery = 200 * time.Millisecond
	// maxSpare is the largest buffer that is kept for what comes next.
	maxSpare = 1 << 20
	// complainEvery is how often the service's log tells that lines are lost.
	complainEvery = time.Minute
	// fileMode lets others than the user and the group not see who calls what.
	fileMode = 0o640
)

// Options say where lines go.
type Options struct {
	// Path is that of the file, which is made where it is missing and added to where it is
	// there, or [Stdout].
	Path string
	// Out takes the place of the file where it is not nil.
	Out io.Writer
	// Share is the part of the calls that get a line, from 0 to 1; see [Log.Takes].
	Share float64
	// Buffer bounds what waits to be written, in bytes; 8 MiB where 0.
	Buffer int
	// Logger is slog's default where nil.
	Logger *slog.Logger
}

// Log is an access log. It is safe for concurrent use; a nil Log takes no lines.
type Log struct {
	options Options

	mu      sync.Mutex
	pending []byte
	closed  bool
	// wake tells the writer that there is something, full that there is a lot.
	wake, full    chan struct{}
	stop, stopped chan struct{}

	// out is held while it is written to, and while it is replaced.
	out     sync.Mutex
	writer  io.Writer
	file    *os.File
	midLine bool

	lines, lost atomic.Uint64
	complained  time.Time
	silent      uint64
}

// Open opens the log. Close must be called.
func Open(o Options) (*Log, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	l := &Log{
		options: o, writer: o.Out,
		wake: make(chan struct{}, 1), full: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	switch {
	case o.Out != nil:
	case o.Path == Stdout:
		l.writer = os.Stdout
	default:
		file, err := open(o.Path)
		if err != nil {
			return nil, err
		}
		l.writer, l.file = file, file
	}
	go l.run()
	return l, nil
}

func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, fileMode)
}

// Takes reports whether a call gets a line: every one that ended with a fault of the
// service or of what is behind it, every one whose trace is recorded, and of the others
// the share that was asked for.
func (l *Log) Takes(status int, traced bool) bool {
	switch {
	case l == nil:
		return false
	case l.options.Share >= 1, traced, status >= http.StatusInternalServerError:
		return true
	}
	return rand.Float64() < l.options.Share
}

var scratch = sync.Pool{New: func() any {
	b := make([]byte, 0, 1024)
	return &b
}}

// maxPooled is the largest buffer that is kept for the next line.
const maxPooled = 8 << 10

// Write adds a line, or counts it as lost where too many wait to be written.
func (l *Log) Write(line *Line) {
	text := scratch.Get().(*[]byte) //nolint:forcetypeassert // the pool has nothing else.
	*text = line.append((*text)[:0])
	l.add(*text)
	if cap(*text) <= maxPooled {
		scratch.Put(text)
	}
}

func (l *Log) add(line []byte) {
	l.mu.Lock()
	before := len(l.pending)
	if l.closed || before+len(line) > l.options.Buffer {
		l.mu.Unlock()
		l.lost.Add(1)
		return
	}
	l.pending = append(l.pending, line...)
	now := len(l.pending)
	l.mu.Unlock()
	if before == 0 {
		signal(l.wake)
	}
	if before < flushAt && now >= flushAt {
		signal(l.full)
	}
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// run writes until the log is closed and nothing is left.
func (l *Log) run() {
	defer close(l.stopped)
	timer := time.NewTimer(flushEvery)
	timer.Stop()
	var spare []byte
	for closing := false; ; {
		if !closing {
			select {
			case <-l.wake:
			case <-l.stop:
			}
			timer.Reset(flushEvery)
			select {
			case <-l.full:
			case <-timer.C:
			case <-l.stop:
				closing = true
			}
			timer.Stop()
		}
		l.mu.Lock()
		text := l.pending
		l.pending = spare[:0]
		l.mu.Unlock()
		if len(text) == 0 && closing {
			return
		}
		l.flush(text)
		if spare = text; cap(spare) > maxSpare {
			spare = nil // a burst does not keep its memory
		}
	}
}

// flush writes whole lines.
func (l *Log) flush(text []byte) {
	if len(text) == 0 {
		return
	}
	l.out.Lock()
	if l.midLine {
		// What was cut off must not run into the next line.
		if _, err := l.writer.Write([]byte{'\n'}); err == nil {
			l.midLine = false
		}
	}
	n, err := l.writer.Write(text)
	if n > 0 {
		l.midLine = text[n-1] != '\n'
	}
	l.out.Unlock()
	l.lines.Add(uint64(bytes.Count(text[:n], []byte{'\n'})))
	if err != nil {
		l.lost.Add(uint64(bytes.Count(text[n:], []byte{'\n'})))
	}
	lost := l.lost.Load()
	if now := time.Now(); lost > l.silent && now.Sub(l.complained) >= complainEvery {
		l.options.Logger.Warn("lines of the access log were lost", "path", l.options.Path, "lost", lost-l.silent, "error", cause(err))
		l.complained, l.silent = now, lost
	}
}

func cause(err error) string {
	if err == nil {
		return "they came faster than they could be written"
	}
	return err.Error()
}

// Reopen opens the file anew, by its name: what is rotated has another one by then. Where
// that fails the old file goes on to be written to.
func (l *Log) Reopen() error {
	if l == nil || l.file == nil {
		return nil
	}
	file, err := open(l.options.Path)
	if err != nil {
		return fmt.Errorf("the access log goes on in the old file: %w", err)
	}
	l.out.Lock()
	old := l.file
	l.writer, l.file, l.midLine = file, file, false
	l.out.Unlock()
	return old.Close()
}

// Close writes what is left, until ctx ends, and closes the file.
func (l *Log) Close(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	l.mu.Unlock()
	if closed {
		return nil
	}
	close(l.stop)
	select {
	case <-l.stopped:
	case <-ctx.Done():
		return errors.New("the last lines of the access log could not be written in time")
	}
	if l.file != nil {
		return l.file.Close()
	}
	return nil
}
