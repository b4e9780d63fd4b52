// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package completion

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// bash returns the script for bash, from 3.2 on. It needs no other package.
func bash(app *kong.Application) (string, error) {
	all, err := commands(app)
	if err != nil {
		return "", err
	}
	var paths, following, values strings.Builder
	for _, c := range all {
		if c.path != "" {
			fmt.Fprintf(&paths, " |%s|", c.path)
		}
		var subs, flags []string
		for _, s := range c.subs {
			subs = append(subs, s.name)
		}
		for _, f := range c.flags {
			flags = append(flags, f.long)
			if f.short != "" {
				flags = append(flags, f.short)
			}
			switch {
			case len(f.words) > 0:
				fmt.Fprintf(&values, "    %s) words=%s ;;\n", pattern(c, f), quote(strings.Join(f.words, " ")))
			case f.files:
				fmt.Fprintf(&values, "    %s) files=1 ;;\n", pattern(c, f))
			}
		}
		files := ""
		if c.files {
			files = "1"
		}
		fmt.Fprintf(&following, "    %s) words=%s flags=%s files=%s ;;\n",
			quote(c.path), quote(strings.Join(append(subs, c.words...), " ")), quote(strings.Join(flags, " ")), files)
	}
	return fmt.Sprintf(`# Completion of dataservice for bash. Made by: dataservice completion bash

_dataservice() {
  local current=${COMP_WORDS[COMP_CWORD]} path= pending= word= words= flags= files= i
  local paths=%s
  local valued=%s
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    # "--flag=value" is three words for bash.
    if [[ $word == "=" ]]; then
      continue
    elif [[ -n $pending ]]; then
      pending=
    elif [[ $word == -*=* ]]; then
      :
    elif [[ $word == -* ]]; then
      [[ $valued == *" $word "* ]] && pending=$word
    elif [[ $paths == *"|${path:+$path }$word|"* ]]; then
      path=${path:+$path }$word
    fi
  done
  [[ $current == "=" ]] && current=
  if [[ -n $pending ]]; then
    case "${path:+$path }$pending" in
%s    esac
  else
    case $path in
%s    esac
    [[ $current == -* ]] && words=$flags files=
  fi
  local IFS=$' \t\n'
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$current"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}

complete -F _dataservice dataservice
`, quote(paths.String()), quote(" "+strings.Join(valued(all), " ")+" "), values.String(), following.String()), nil
}
