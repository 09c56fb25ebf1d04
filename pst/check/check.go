package check

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"keepwatch/pst"
)

// Severity says what Outlook makes of a finding.
type Severity uint8

// The severities.
const (
	Error  Severity = iota // Outlook refuses the file, mends it, loses something, or shows something wrong
	Advice                 // Outlook takes the file as it is; its own files are otherwise
)

func (s Severity) String() string {
	if s == Advice {
		return "advice"
	}
	return "error"
}

// Finding is one deviation.
type Finding struct {
	Rule     Rule
	Severity Severity
	Offset   int64   // where in the file it is, in bytes
	Node     pst.NID // of the node tree; 0 where it belongs to none
	Section  string  // of [MS-PST], such as "2.2.2.7.2", or "real files" where the text says nothing
	Text     string  // a sentence
}

func (f Finding) String() string {
	return fmt.Sprintf("%v %q at %#x, node %v (%s): %s", f.Severity, f.Rule, f.Offset, f.Node, f.Section, f.Text)
}

// Report is what File found.
type Report struct {
	Findings []Finding
	Format   pst.Format
	Pages    int64 // of the two B-trees
	Blocks   int64 // in the block tree
	Nodes    int64 // in the node tree
	Folders  int64 // search folders too; none are counted in the ANSI variant
	Messages int64 // of folders, associated ones too, embedded ones not; none are counted in the ANSI variant

	// Truncated says that not all was checked: there were Max findings, or parts
	// of the file refer to one another so often that no real file does.
	Truncated bool
}

// Clean tells whether there is no finding of severity Error, and all was checked.
func (r Report) Clean() bool {
	return !r.Truncated && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == Error })
}

// Options of File. The zero value will do.
type Options struct {
	Max int // stop after so many findings; default 1,000
}

// checker is one run. Its methods report to rep, and read nothing that does not lie
// within the file.
type checker struct {
	r    io.ReaderAt
	size int64
	max  int
	rep  Report
	err  error // the first error of r

	layout
	head   header
	blocks []block // by BID
	nodes  []node  // by NID
	pages  []page  // of the B-trees
	forest []uint32
	twigs  []uint32
	local  [32]uint32 // the highest index of each type of subnode
	work   int64      // blocks that the second pass may still look at
	cache  *cache
	names  *names
	blind  bool // the data cannot be decoded
}

// File checks a file of size bytes. It reads everything once in the order of the file,
// and what holds structure once more. Its error is one of r: whatever is wrong
// with the file itself is in the report.
func File(r io.ReaderAt, size int64, o Options) (Report, error) {
	if o.Max <= 0 {
		o.Max = 1000
	}
	c := &checker{r: r, size: size, max: o.Max, cache: &cache{}, names: &names{}}
	if c.header() {
		c.trees()
		c.space()
		c.references()
		if !c.ansi && !c.blind {
			c.messaging()
		}
	}
	if c.err != nil {
		return c.rep, fmt.Errorf("check an Outlook data file: %w", c.err)
	}
	return c.rep, nil
}

// find reports.
func (c *checker) find(rule Rule, offset int64, n pst.NID, format string, args ...any) {
	if len(c.rep.Findings) >= c.max {
		c.rep.Truncated = true
		return
	}
	if offset == 0 && n != 0 {
		offset = c.where(n)
	}
	f := Finding{Rule: rule, Severity: rules[rule].severity, Offset: offset, Node: n, Section: rules[rule].section}
	f.Text = fmt.Sprintf(format, args...)
	c.rep.Findings = append(c.rep.Findings, f)
}

// over tells whether it is time to stop.
func (c *checker) over() bool { return c.err != nil || c.rep.Truncated }

// read fills b from the file; false means that the run is over or that the file
// ends before.
func (c *checker) read(b []byte, at int64) bool {
	if c.err != nil || at < 0 || at > c.size-int64(len(b)) {
		return false
	}
	n, err := c.r.ReadAt(b, at)
	if n == len(b) {
		return true
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	} else {
		c.err = io.ErrUnexpectedEOF
	}
	return false
}
