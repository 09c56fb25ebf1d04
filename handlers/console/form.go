package console

import (
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/handlers"
)

// asksMore reports whether a button's command is nothing without what its form asks
// for. A form without fields only confirms, and who presses a numbered button has read
// what it does; one whose fields may all be left empty has a command that makes sense
// alone.
func asksMore(b keepwatch.Button) bool {
	if b.Form == nil {
		return false
	}
	for _, f := range b.Form.Fields {
		if f.Required {
			return true
		}
	}
	return false
}

// lineOf is what stands in a terminal for a button: its command, and where that asks
// for more, with what is to be filled in. What may be left out is in brackets.
func lineOf(b keepwatch.Button) string {
	text := "/" + strings.TrimPrefix(b.Command, "/")
	if !asksMore(b) {
		return text
	}
	for i, f := range b.Form.Fields {
		word := standIn(f)
		last := !slices.ContainsFunc(b.Form.Fields[i+1:], func(f keepwatch.FormField) bool { return !f.Flag })
		switch {
		case f.Value != "" && f.Words:
			word = handlers.Quote(strings.Fields(f.Value)...)
		case f.Value != "":
			word = handlers.Quote(f.Value)
		case !f.Words && several(f) && (f.Flag || !last): // the last of the others takes all words that are left
			word = `"` + word + `"`
		}
		if f.Flag {
			word = "--" + f.Name + " " + word
		}
		if !f.Required && f.Value == "" {
			word = "[" + word + "]"
		}
		text += " " + word
	}
	return text
}

// several reports whether a value may be several words.
func several(f keepwatch.FormField) bool { return f.Type == keepwatch.FieldText || f.Type == "" }

// standIn is what stands for a value that is not known.
func standIn(f keepwatch.FormField) string {
	if f.Name == "value" { // which says nothing to a reader
		return "TEXT"
	}
	return strings.ToUpper(f.Name)
}

// fewChoices is how many choices of a field are named; Tab completes the others.
const fewChoices = 12

// toType is the form of a button for a terminal, which has none: what is asked, and the
// line to type.
func toType(b keepwatch.Button) keepwatch.Message {
	msg := keepwatch.Message{Title: b.Form.Title}
	if b.Form.Text != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(b.Form.Text))
	}
	how, optional := "Type this, changed as you want it:", false
	var fields []keepwatch.Field
	for _, f := range b.Form.Fields {
		if f.Value == "" && f.Required {
			how = "Type this, with what you mean in place of the capitals:"
		}
		optional = optional || f.Value == "" && !f.Required
		about := f.Label
		switch {
		case f.Type == keepwatch.FieldDate:
			about += ", such as 2026-11-24"
		case len(f.Choices) > 0 && len(f.Choices) <= fewChoices:
			about += ": one of " + strings.Join(f.Choices, ", ")
		case len(f.Choices) > 0:
			about += "; Tab shows what there is"
		case f.Hint != "":
			about += ": " + f.Hint
		}
		fields = append(fields, keepwatch.Field{Name: standIn(f), Value: about})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(how), keepwatch.Code(lineOf(b)), keepwatch.Block{Fields: fields})
	if optional {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("What is in brackets may be left out."))
	}
	return msg
}
