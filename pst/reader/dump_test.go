package reader_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// The dump of java-libpst-dist-list.pst was made by another program from the bytes
// of the file. Each object begins with its node, and each property is a line:
// id, type, value, and the name where it has one.
var (
	dumpObject   = regexp.MustCompile(`^\s*(?:MESSAGE|SUBNODE) 0x([0-9a-f]+)`)
	dumpProperty = regexp.MustCompile(`^\s*([0-9a-f]{4}):([0-9a-f]{4}) (.*)$`)
	dumpName     = regexp.MustCompile(` ?([0-9a-f]{8}-[0-9a-f-]{27})/(?:LID 0x([0-9a-f]+)|'?(.*?)'?)$`)
	dumpElided   = regexp.MustCompile(`\.\.\.\((\d+)\)$`)
)

// dump gives the lines of each object, with ids of named properties left out.
func dump(t *testing.T) map[string][]string {
	text, err := os.ReadFile(psttest.Sample(t, "pst", "java-libpst-dist-list.msgs.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	at := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := dumpObject.FindStringSubmatch(line); m != nil {
			at = strings.ToUpper(m[1])
			continue
		}
		m := dumpProperty.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		id, value := m[1], strings.TrimRight(regexp.MustCompile(` +\[subnode 0x[0-9a-f]+\]$`).ReplaceAllString(m[3], ""), " ")
		if n := dumpName.FindStringSubmatch(value); n != nil {
			value = strings.TrimSuffix(value, n[0])
			id = n[1] + "/" + n[2] + n[3]
		}
		out[at] = append(out[at], id+":"+m[2]+" "+value)
	}
	return out
}

// line writes a property as the dump does.
func line(p pst.Property) string {
	id := fmt.Sprintf("%04x", p.Tag.ID())
	if p.IsNamed() {
		id = strings.ToLower(p.Named.Set.String()) + "/" + p.Named.Name
		if p.Named.Name == "" {
			id += fmt.Sprintf("%x", p.Named.LID)
		}
	}
	return fmt.Sprintf("%s:%04x %s", id, uint16(p.Tag.Type()), dumped(p.Value))
}

func dumped(v any) string {
	switch v := v.(type) {
	case string:
		s := fmt.Sprintf("%q", v)
		return "'" + strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`) + "'"
	case bool:
		if v {
			return "0x1"
		}
		return "0x0"
	case int16:
		return fmt.Sprintf("%#x", uint16(v))
	case int32:
		return fmt.Sprintf("%#x", uint32(v))
	case int64:
		return fmt.Sprintf("%#x", uint64(v))
	case float64:
		return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	case time.Time:
		return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, pst.Filetime(v)))
	case pst.Ref:
		return hex.EncodeToString(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(v.Node)), v.Size))
	case []int32:
		var b []byte
		for _, n := range v {
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		}
		return hex.EncodeToString(b)
	case [][]byte:
		b := binary.LittleEndian.AppendUint32(nil, uint32(len(v)))
		at := 4 + 4*len(v)
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, uint32(at))
			at += len(x)
		}
		for _, x := range v {
			b = append(b, x...)
		}
		return dumped(b)
	case []byte:
		s := hex.EncodeToString(v)
		if len(v) > 48 {
			s = fmt.Sprintf("%s...(%d)", s[:96], len(v))
		}
		return s
	}
	return fmt.Sprintf("%T %v", v, v)
}

// lines are those of an object.
func lines(t *testing.T, ps pst.Properties, err error) []string {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	var out []string
	for _, p := range ps {
		out = append(out, line(p))
	}
	return out
}

// TestDump: each property of each message, attachment and embedded message is as the
// dump has it, and there are no others.
func TestDump(t *testing.T) {
	f := open(t, psttest.Outlook(t, "java-libpst-dist-list.pst"))
	got := map[string][]string{}
	var item func(name string, m *reader.Message)
	item = func(name string, m *reader.Message) {
		ps, err := m.Properties()
		got[name] = lines(t, ps, err)
		for a, err := range m.Attachments() {
			if err != nil {
				t.Fatal(err)
			}
			ps, err := a.Properties()
			node := a.(*reader.Attachment).Node()
			got[node.String()[2:]] = lines(t, ps, err)
			e, err := a.(*reader.Attachment).Embedded()
			if err != nil {
				t.Fatal(err)
			}
			item(e.Node().String()[2:], e)
		}
	}
	err := f.Walk(func(d *reader.Folder, err error) error {
		if err != nil || d.IsSearch() {
			return err
		}
		for m, err := range d.Messages() {
			if err != nil {
				return err
			}
			item(m.Node().String()[2:], m)
		}
		for m, err := range d.Associated() {
			if err != nil {
				return err
			}
			item(m.Node().String()[2:], m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := dump(t)
	for _, all := range []map[string][]string{want, got} {
		for name := range all {
			all[name] = comparable(all[name])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	n := 0
	for _, l := range got {
		n += len(l)
	}
	if n < 400 {
		t.Errorf("only %d properties were compared", n)
	}
}

// comparable sorts the lines, cuts off what the dump leaves out of long values, and
// leaves out the content of attachments.
func comparable(lines []string) []string {
	var out []string
	for _, l := range lines {
		if strings.HasPrefix(l, "3701:") {
			continue
		}
		if m := dumpElided.FindStringSubmatch(l); m != nil {
			head := strings.TrimSuffix(l, m[0])
			id, value, _ := strings.Cut(head, " ")
			l = fmt.Sprintf("%s %.60s (%s)", id, value, m[1])
		}
		out = append(out, strings.TrimRight(l, " "))
	}
	sort.Strings(out)
	return out
}
