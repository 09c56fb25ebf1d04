package handlers

import (
	"fmt"
	"regexp"
	"strings"

	"keepwatch"
)

// placeholder is what stands for something in the command of a step.
var placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// mostFits is how many sources or devices a step has a button for; with more, the
// command asks.
const mostFits = 4

// commandButtons makes the buttons of a step's command: one, or one for each source or
// device that fits. While the step's own answer is wanting there is none, because the
// command is about it.
func (r *Router) commandButtons(step keepwatch.ChecklistStep, w keepwatch.Walk) (buttons []keepwatch.Button) {
	if step.Command == "" {
		return nil
	}
	if step.Ask != nil && strings.Contains(step.Command, "{"+step.Ask.Name+"}") && w.Answers[step.Ask.Name] == "" {
		return nil
	}
	fits := []string{""}
	for _, name := range []string{"device", "source"} {
		if found := r.fitting(name, w); strings.Contains(step.Command, "{"+name+"}") && len(found) > 0 && len(found) <= mostFits {
			fits = found
		}
	}
	for _, fit := range fits {
		label := step.Label
		if len(fits) > 1 {
			label += ": " + fit
		}
		buttons = append(buttons, keepwatch.Button{Label: cutLabel(label), Command: filled(step.Command, w, fit)})
	}
	return buttons
}

// filled puts what they stand for in the place of a command's placeholders. The first
// one that stands for nothing ends it: the command then asks.
func filled(command string, w keepwatch.Walk, fit string) string {
	var out strings.Builder
	rest := command
	for {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			return strings.TrimSpace(out.String() + rest)
		}
		value := ""
		switch name := rest[at[2]:at[3]]; name {
		case "device", "source":
			value = fit
		case "person":
			value = w.Person
		default:
			value = w.Answers[name]
		}
		out.WriteString(rest[:at[0]])
		if value == "" {
			return strings.TrimSpace(out.String())
		}
		out.WriteString(Quote(value))
		rest = rest[at[1]:]
	}
}

// fitting gives what a placeholder may stand for in a walk: the person's devices of the
// platform that the checklist ends at, and the sources of the sort that it is about.
func (r *Router) fitting(name string, w keepwatch.Walk) (found []string) {
	list, _ := r.listOf(w)
	switch name {
	case "device":
		for _, p := range r.cfg.People {
			for _, d := range p.Devices {
				if p.Name == w.Person && (strings.HasSuffix(list.Topic, d.Platform) || !strings.HasSuffix(list.Topic, "ios") && !strings.HasSuffix(list.Topic, "android")) {
					found = append(found, d.Name)
				}
			}
		}
	case "source":
		sources, err := r.cfg.Sources.Sources()
		if err != nil {
			r.cfg.Log.Warn("the sources cannot be read, so a checklist offers none", "walk", w.ID, "err", err)
			return nil
		}
		for _, s := range sources {
			if s.Drop {
				found = append(found, s.Name)
			}
		}
	}
	return found
}

// CheckChecklists checks what the reader of checklists cannot: that the command of
// each step is one that there is, with words that it takes, and that what its
// placeholders stand for is asked in the checklist. The error has a line for each
// fault.
func CheckChecklists(lists []keepwatch.Checklist) error {
	table := Table()
	var faults []string
	for _, list := range lists {
		asked := map[string]bool{"person": true, "device": true, "source": true}
		for n, step := range list.Steps {
			if step.Ask != nil {
				asked[step.Ask.Name] = true
			}
			if step.Command == "" {
				continue
			}
			fault := commandFault(table, step.Command)
			for _, m := range placeholder.FindAllStringSubmatch(step.Command, -1) {
				if fault == "" && !asked[m[1]] {
					fault = fmt.Sprintf("{%s} stands for an answer that no step up to there asks for", m[1])
				}
			}
			if fault != "" {
				faults = append(faults, fmt.Sprintf("The checklist %s has a wrong command in step %d, %q: %s.", list.ID, n+1, step.Command, fault))
			}
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s", strings.Join(faults, "\n"))
}

// commandFault says what is wrong with a command; "" is nothing.
func commandFault(table []Command, command string) string {
	words, err := Split(command)
	if err != nil {
		return strings.TrimSuffix(keepwatch.Sentence(err), ".")
	}
	for _, c := range table {
		if len(words) > 1 && c.Group == words[0] && c.Name == words[1] {
			if _, _, err := c.bind(words[2:]); err != nil {
				return strings.TrimSuffix(keepwatch.Sentence(err), ".")
			}
			return ""
		}
	}
	return "there is no such command"
}
