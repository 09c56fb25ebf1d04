package handlers

import (
	"slices"
	"strconv"
	"strings"

	"keepwatch"
)

// about gives the source that a request names, as far as that can be told from
// its words alone, or "": a request that is denied or misspelt is about it too.
func (r *Router) about(req keepwatch.Request) string {
	words, err := Split(req.Text)
	if err != nil || len(words) == 0 {
		return ""
	}
	words[0] = strings.TrimPrefix(words[0], "/")
	cmd, rest, found := r.find(words)
	if !found {
		return ""
	}
	word := ""
	for i, o := range cmd.Options {
		about := o.Type == TypeSource || o.Type == TypeArchive
		switch {
		case about && o.Flag:
			if at := slices.Index(rest, "--"+o.Name); at >= 0 && at+1 < len(rest) && word == "" {
				word = rest[at+1]
			}
		case about && i == 0 && len(rest) > 0:
			word = rest[0]
		}
	}
	source, _, _ := strings.Cut(word, "/")
	if !keepwatch.ValidName(source) {
		return ""
	}
	return source
}

// aboutRun gives the source of the run that a command names, or "".
func (r *Router) aboutRun(cmd Command, rest []string) string {
	if len(cmd.Options) == 0 || cmd.Options[0].Type != TypeRun || len(rest) == 0 {
		return ""
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(rest[0], "#"), 10, 64)
	if err != nil {
		return ""
	}
	run, err := r.cfg.Runs.Run(id)
	if err != nil {
		return ""
	}
	return run.Source
}
