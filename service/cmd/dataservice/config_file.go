// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/dataservice/terraform-provider-dataservice/internal/spelling"
)

// maxConfigFile bounds the file: nobody has that much to say.
const maxConfigFile = 1 << 20

// configFile is a file of settings.
type configFile struct {
	name   string
	mode   fs.FileMode
	values map[string]fileValue
}

// fileValue is one of its settings, as kong takes it.
type fileValue struct {
	value any
	place string
	line  int
}

func (f *configFile) value(key string) (v fileValue, ok bool) {
	if f == nil {
		return v, false
	}
	v, ok = f.values[key]
	return v, ok
}

// fileResolver tells kong what the file says, where neither a flag nor a variable does.
type fileResolver struct {
	read     bool
	file     *configFile
	problems problems
}

// Validate is called once the file could have been read, which is done by Resolve.
func (r *fileResolver) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag; nil where the file says nothing. What is wrong with the
// file is noted and not returned, so that all of it is told.
func (r *fileResolver) Resolve(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if parent.Command == nil || !takesFile(parent.Command) || !isKey(flag) {
		return nil, nil
	}
	if !r.read {
		r.read = true
		all, of := keysOf(ctx.Model)
		named := slices.IndexFunc(parent.Flags, func(f *kong.Flag) bool { return f.Name == configFlag })
		if name := reflect.ValueOf(ctx.FlagValue(parent.Flags[named])).String(); name != "" {
			r.file, r.problems = readConfigFile(name, all, of[parent.Command.Name])
		}
	}
	if v, ok := r.file.value(flag.Name); ok && variableOf(flag) == "" {
		return v.value, nil
	}
	return nil, nil
}

// readConfigFile reads the file and checks it against all keys that there are; own are those of the
// command, whose checks of values hold.
func readConfigFile(name string, all []*kong.Flag, own map[string]*kong.Flag) (*configFile, problems) {
	file := &configFile{name: name, values: map[string]fileValue{}}
	text, err := file.text()
	if err != nil {
		return nil, problems{{place: name, text: "The file of settings cannot be read: " + root(err).Error() + "."}}
	}
	document, fault := firstDocument(name, text)
	if fault != nil {
		return file, problems{*fault}
	}
	if document == nil { // nothing but comments
		return file, nil
	}
	if document.Kind != yaml.MappingNode {
		return file, problems{{place: file.place(document), text: "The file must have a setting on each line, such as \"log-level: debug\"."}}
	}
	return file, file.take(document, all, own)
}

func (f *configFile) place(n *yaml.Node) string { return f.name + ":" + strconv.Itoa(n.Line) }

func (f *configFile) text() ([]byte, error) {
	opened, err := os.Open(f.name)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	f.mode = info.Mode()
	text, err := io.ReadAll(io.LimitReader(opened, maxConfigFile+1))
	if err == nil && len(text) > maxConfigFile {
		err = fmt.Errorf("it has more than %d bytes", maxConfigFile)
	}
	return text, err
}

// lineOfError finds where the text is no YAML.
var lineOfError = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// firstDocument returns the only document of the file; nil where it has nothing to say.
func firstDocument(name string, text []byte) (*yaml.Node, *problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			return nil, &problem{place: name + ":" + strconv.Itoa(second.Line), text: "A second document begins here: the file must have one."}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		place, says := name, strings.TrimSpace(err.Error())
		if m := lineOfError.FindStringSubmatch(says); m != nil {
			says = says[len(m[0]):]
			if m[1] != "" {
				place += ":" + m[1]
			}
		}
		return nil, &problem{place: place, text: "This is no YAML: " + says + "."}
	}
	document := first.Content[0]
	if document.Kind == yaml.ScalarNode && document.ShortTag() == "!!null" {
		return nil, nil
	}
	return document, nil
}

// take takes the settings of the file, and returns what is wrong with them.
func (f *configFile) take(document *yaml.Node, all []*kong.Flag, own map[string]*kong.Flag) (found problems) {
	names, flags := make([]string, len(all)), map[string]*kong.Flag{}
	for i, flag := range all {
		names[i], flags[flag.Name] = flag.Name, flag
		if mine := own[flag.Name]; mine != nil {
			flags[flag.Name] = mine
		}
	}
	first := map[string]int{}
	for i := 0; i < len(document.Content); i += 2 {
		key, value := document.Content[i], document.Content[i+1]
		flag := flags[key.Value]
		fault := func(format string, args ...any) {
			found = append(found, problem{place: f.place(key), text: fmt.Sprintf(format, args...)})
		}
		switch before, twice := first[key.Value]; {
		case key.Value == configFlag:
			fault("A file of settings does not name another one: remove %q.", key.Value)
		case flag == nil:
			fault("There is no setting %q%s.", key.Value, nearest(key.Value, names))
		case twice:
			fault("%s is set twice: it was in line %d already.", key.Value, before)
		default:
			first[key.Value] = key.Line
			v, err := valueOf(flag, value)
			if err != nil {
				fault("%s %s", key.Value, err)
				continue
			}
			f.values[key.Value] = fileValue{v, f.place(key), key.Line}
		}
	}
	return found
}

// nearest points out the setting that is most like the one that there is not.
func nearest(name string, names []string) string {
	meant := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	best, least := "", 4
	for _, n := range names {
		if d := spelling.Distance(meant, n); d < least && d*2 < len(n) {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// kind is what the value of a setting is, in the file.
type kind int

const (
	kindText kind = iota
	kindBool
	kindInt
	kindFloat
	kindDuration
	kindList
	kindMap
)

func kindOf(f *kong.Flag) kind {
	t := f.Target.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem() // what may be left out
	}
	switch zero := reflect.Zero(t); {
	case t == reflect.TypeFor[time.Duration]():
		return kindDuration
	case t.Kind() == reflect.Bool:
		return kindBool
	case zero.CanInt() || zero.CanUint():
		return kindInt
	case zero.CanFloat():
		return kindFloat
	case t.Kind() == reflect.Slice:
		return kindList
	case t.Kind() == reflect.Map:
		return kindMap
	}
	return kindText
}

// valueOf reads one value, strictly: a number is no text, and a text no list.
func valueOf(f *kong.Flag, n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.ShortTag() == "!!null" {
		return nil, errors.New("has no value: write one, or remove the line.")
	}
	v, err := readValue(kindOf(f), n)
	if err != nil {
		return nil, err
	}
	if text, ok := v.(string); ok && f.Enum != "" && !f.EnumMap()[text] {
		return nil, fmt.Errorf("is %q, and must be one of %s.", text, strings.Join(f.EnumSlice(), ", "))
	}
	// What the flag itself makes of it: numbers have their bounds.
	scan := kong.Scan().PushTyped(v, kong.FlagValueToken)
	if err := f.Mapper.Decode(&kong.DecodeContext{Value: f.Value, Scan: scan}, reflect.New(f.Target.Type()).Elem()); err != nil {
		return nil, fmt.Errorf("cannot be used: %w.", err)
	}
	return v, nil
}

func readValue(k kind, n *yaml.Node) (any, error) {
	tag := n.ShortTag()
	switch k {
	case kindBool:
		if tag != "!!bool" {
			return nil, fmt.Errorf("is %s, and must be true or false.", shown(n))
		}
		return strings.EqualFold(n.Value, "true"), nil
	case kindInt:
		if tag == "!!float" && strings.Trim(n.Value, "0123456789") == "" {
			return nil, fmt.Errorf("is %s, which is too large a number.", shown(n))
		}
		if tag != "!!int" {
			return nil, fmt.Errorf("is %s, and must be a whole number, such as 100.", shown(n))
		}
		return n.Value, nil
	case kindFloat:
		if tag != "!!int" && tag != "!!float" {
			return nil, fmt.Errorf("is %s, and must be a number, such as 0.1.", shown(n))
		}
		return n.Value, nil
	case kindDuration:
		if _, err := time.ParseDuration(n.Value); err != nil || tag != "!!str" {
			return nil, fmt.Errorf("is %s, and must be a duration with its unit, such as 10s.", shown(n))
		}
		return n.Value, nil
	case kindList:
		if n.Kind != yaml.SequenceNode {
			return nil, fmt.Errorf("is %s, and must be a list, such as [%s].", shown(n), n.Value)
		}
		list := []any{}
		for _, item := range n.Content {
			text, err := readValue(kindText, item)
			if err != nil {
				return nil, fmt.Errorf("has an item that %w", err)
			}
			list = append(list, text)
		}
		return list, nil
	case kindMap:
		if n.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("is %s, and must be a map of names to texts.", shown(n))
		}
		pairs := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			text, err := readValue(kindText, n.Content[i+1])
			if err != nil {
				return nil, fmt.Errorf("has an item that %w", err)
			}
			pairs[n.Content[i].Value] = text
		}
		return pairs, nil
	case kindText:
	}
	if n.Kind != yaml.ScalarNode {
		return nil, fmt.Errorf("is %s, and must be a text.", shown(n))
	}
	if tag != "!!str" {
		return nil, fmt.Errorf("is %s, and must be a text: put it in quotes.", shown(n))
	}
	return n.Value, nil
}

// shown is a value in a message. A long one may be a secret that went to the wrong place.
func shown(n *yaml.Node) string {
	const most = 40
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a map"
	case len(n.Value) > most:
		return "a text of " + strconv.Itoa(len(n.Value)) + " characters"
	case n.ShortTag() == "!!str":
		return strconv.Quote(n.Value)
	}
	return n.Value
}

// fileWarnings says that others can read secrets in the file.
func (s *settings) fileWarnings() (list problems) {
	if s.file == nil || s.file.mode.Perm()&0o004 == 0 || runtime.GOOS == "windows" {
		return nil
	}
	for _, f := range s.context.Selected().Flags {
		v, ok := s.file.value(f.Name)
		if ok && !reflect.DeepEqual(hidden(f, s.values[f.Name]), s.values[f.Name]) {
			list = append(list, problem{
				place: v.place, warning: true,
				text: fmt.Sprintf("%s holds a secret, and every user of this machine can read the file: chmod 640 it%s.", f.Name, insteadOf(f)),
			})
		}
	}
	return list
}

// insteadOf names the setting that keeps the secret out of the file.
func insteadOf(f *kong.Flag) string {
	if f.Name == "store" {
		return ", or keep the URL in a file of its own, which store-file names"
	}
	return ""
}
