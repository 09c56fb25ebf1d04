package pim

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxDepth bounds how deep components may lie in one another, maxText how many
// bytes of them are held.
const (
	maxDepth = 16
	maxText  = 256 << 20
)

// A component is what lies between BEGIN and END.
type component struct {
	Name  string // in upper case
	Lines []line
	Subs  []*component
	Begin int // number of the line BEGIN
}

// first gives the first line of a name, or nil.
func (c *component) first(name string) *line {
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			return &c.Lines[i]
		}
	}
	return nil
}

// all gives the lines of a name.
func (c *component) all(name string) []*line {
	var found []*line
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			found = append(found, &c.Lines[i])
		}
	}
	return found
}

// value gives the value of the first line of a name as it is, or "".
func (c *component) value(name string) string {
	if l := c.first(name); l != nil {
		return l.Value
	}
	return ""
}

// text gives the value of the first line of a name without escapes, or "".
func (c *component) text(name string) string { return unescape(c.value(name)) }

// next gives the next outermost component. Lines that cannot be read, and lines
// outside of any component, are left out and given to bad. The error is io.EOF
// at the end; one that ends within a component is given as far as it goes,
// and bad hears of it.
func (r *lineReader) component(bad func(*LineError)) (*component, error) {
	var open []*component
	size := 0
	for {
		l, err := r.next()
		if e := (*LineError)(nil); errors.As(err, &e) {
			bad(e)
			continue
		}
		if err == io.EOF && len(open) > 0 {
			bad(&LineError{r.number, fmt.Sprintf("the text ends within %s", open[len(open)-1].Name)})
			return open[0], nil
		}
		if err != nil {
			return nil, err
		}
		if size += len(l.Value) + len(l.Name) + 64; size > maxText {
			return nil, fmt.Errorf("line %d: the component %s is longer than %d bytes", l.Number, open[0].Name, maxText)
		}
		done, err := nest(&open, l, bad)
		if done != nil || err != nil {
			return done, err
		}
		if len(open) == 0 {
			size = 0
		}
	}
}

// nest puts a line where it belongs, and gives the outermost component when it
// has ended.
func nest(open *[]*component, l line, bad func(*LineError)) (*component, error) {
	depth := len(*open)
	switch {
	case l.Name == "BEGIN":
		if depth == maxDepth {
			return nil, fmt.Errorf("line %d: components lie more than %d deep in one another", l.Number, maxDepth)
		}
		c := &component{Name: upperTrim(l.Value), Begin: l.Number}
		if depth > 0 {
			(*open)[depth-1].Subs = append((*open)[depth-1].Subs, c)
		}
		*open = append(*open, c)
	case l.Name == "END":
		name := upperTrim(l.Value)
		i := len(*open) - 1
		for i >= 0 && (*open)[i].Name != name {
			i--
		}
		if i < 0 {
			bad(&LineError{l.Number, fmt.Sprintf("END:%s ends nothing", shorten(name))})
			return nil, nil
		}
		if i != depth-1 {
			bad(&LineError{l.Number, fmt.Sprintf("END:%s comes while %s is open", shorten(name), (*open)[depth-1].Name)})
		}
		outermost := (*open)[0]
		*open = slices.Delete(*open, i, depth)
		if i == 0 {
			return outermost, nil
		}
	case depth == 0:
		bad(&LineError{l.Number, fmt.Sprintf("%s lies outside of everything", shorten(l.Name))})
	default:
		c := (*open)[depth-1]
		c.Lines = append(c.Lines, l)
	}
	return nil, nil
}
