// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package completion

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// zsh returns the script for zsh, to be sourced or to be a file _dataservice in $fpath.
func zsh(app *kong.Application) (string, error) {
	all, err := commands(app)
	if err != nil {
		return "", err
	}
	var paths, following, values strings.Builder
	for _, c := range all {
		if c.path != "" {
			fmt.Fprintf(&paths, " %s", quote(c.path))
		}
		fmt.Fprintf(&following, "    (%s)\n      entries=(", quote(c.path))
		for _, s := range c.subs {
			following.WriteString(" " + quote(s.name+":"+s.help))
		}
		for _, w := range c.words {
			following.WriteString(" " + quote(w))
		}
		following.WriteString(" )\n      flags=(")
		for _, f := range c.flags {
			following.WriteString(" " + quote(f.long+":"+f.help))
			if f.short != "" {
				following.WriteString(" " + quote(f.short+":"+f.help))
			}
			switch {
			case len(f.words) > 0:
				fmt.Fprintf(&values, "    (%s) entries=( %s ) ;;\n", pattern(c, f), strings.Join(f.words, " "))
			case f.files:
				fmt.Fprintf(&values, "    (%s) files=1 ;;\n", pattern(c, f))
			}
		}
		following.WriteString(" )\n")
		if c.files {
			following.WriteString("      files=1\n")
		}
		following.WriteString("      ;;\n")
	}
	//nolint:dupword // a script is no prose
	return fmt.Sprintf(`#compdef dataservice
# Completion of dataservice for zsh. Made by: dataservice completion zsh

_dataservice() {
  local at= pending= word= files= current=${words[CURRENT]}
  local -a entries flags paths valued
  local -i i
  paths=(%s )
  valued=( %s )
  for (( i = 2; i < CURRENT; i++ )); do
    word=${words[i]}
    if [[ -n $pending ]]; then
      pending=
    elif [[ $word == -*=* ]]; then
      :
    elif [[ $word == -* ]]; then
      (( ${valued[(Ie)$word]} )) && pending=$word
    elif (( ${paths[(Ie)${at:+$at }$word]} )); then
      at=${at:+$at }$word
    fi
  done
  if [[ -z $pending && $current == -*=* ]]; then
    pending=${current%%%%=*}
    compset -P '*='
  fi
  if [[ -n $pending ]]; then
    case ${at:+$at }$pending in
%s    esac
  else
    case $at in
%s    esac
    if [[ $current == -* ]]; then
      entries=( $flags )
      files=
    fi
  fi
  if [[ -n $files ]]; then
    _files
  elif (( $#entries )); then
    _describe -o dataservice entries
  fi
}

if [[ $funcstack[1] == _dataservice ]]; then
  _dataservice "$@"
else
  compdef _dataservice dataservice
fi
`, paths.String(), strings.Join(valued(all), " "), values.String(), following.String()), nil
}
