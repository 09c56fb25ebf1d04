package pst_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"keepwatch/pst"
)

// withPffexport lists a file with libpff's own program. With -d it writes all values
// of each item in hexadecimal, next to a file per attachment, so that nothing of
// what libpff found is lost in formatting.
func withPffexport(t testing.TB, file string) listing {
	t.Helper()
	program := needProgram(t, "pffexport")
	out := filepath.Join(t.TempDir(), "pff")
	// pffexport speaks of names in the code page of its locale.
	runProgram(t, []string{"LC_ALL=C.UTF-8"}, "", program, "-q", "-d", "-f", "all", "-m", "items", "-t", out, file)
	var l listing
	if err := l.exported(out+".export", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(out + ".export"); err != nil { // four times as much as the file
		t.Fatal(err)
	}
	return l
}

const itemValues = "ItemValues.txt"

// exported reads a folder that pffexport made: one for a folder of the file, with
// folders for its items and its folders. Which of the two it is the values say: an
// item has a class.
func (l *listing) exported(dir string, path []string) error {
	l.Folders = append(l.Folders, strings.Join(path, "/"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		below := filepath.Join(dir, e.Name())
		sets, err := readValues(filepath.Join(below, itemValues))
		if err != nil {
			return err
		}
		if len(sets) > 0 && sets[0][tagKey(pst.PidTagMessageClass)] != nil {
			it, err := exportedItem(below, sets[0])
			if err != nil {
				return err
			}
			it.Folder = path
			l.Items = append(l.Items, *it)
			continue
		}
		// The name of the folder on disk is cut and cleaned; the value is not.
		name := e.Name()
		if len(sets) > 0 && len(sets[0][tagKey(pst.PidTagDisplayName)]) > 0 {
			name = rawText(sets[0], pst.PidTagDisplayName)
		}
		if err := l.exported(below, append(path[:len(path):len(path)], name)); err != nil {
			return err
		}
	}
	return nil
}

func exportedItem(dir string, values map[string][]byte) (*rawItem, error) {
	it := &rawItem{Values: values}
	var err error
	if it.Recipients, err = readValues(filepath.Join(dir, "RecipientsItemValues.txt")); err != nil {
		return nil, err
	}
	at := filepath.Join(dir, "Attachments")
	sets, err := readValues(filepath.Join(at, itemValues))
	if err != nil {
		return nil, err
	}
	files, err := attachmentFiles(at)
	if err != nil {
		return nil, err
	}
	for n, set := range sets {
		a := rawAttachment{Values: set}
		if err := a.exported(files[n+1]); err != nil {
			return nil, err
		}
		// The dump is that of the row in the attachment table, which has no long name; the
		// name of the file that was written is that of the attachment, cleaned.
		if _, name, ok := strings.Cut(filepath.Base(files[n+1]), "_"); ok && rawText(set, pst.PidTagAttachLongFilename) == "" {
			set[tagKey(pst.PidTagAttachLongFilename)] = pst.AppendUTF16(nil, name)
		}
		it.Attachments = append(it.Attachments, a)
	}
	return it, nil
}

// attachmentFiles gives what belongs to each attachment: "3_name.txt" or "03_name.txt", or
// a folder "Attachment00003" with an embedded message in it.
func attachmentFiles(dir string) (map[int]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	files := map[int]string{}
	for _, e := range entries {
		number, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "Attachment"), "_")
		if n, err := strconv.Atoi(number); err == nil {
			files[n] = filepath.Join(dir, e.Name())
		}
	}
	return files, err
}

func (a *rawAttachment) exported(name string) error {
	if name == "" {
		return nil // no content
	}
	if info, err := os.Stat(name); err != nil {
		return err
	} else if !info.IsDir() {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		sum := sha256.New()
		if a.Size, err = io.Copy(sum, f); err != nil {
			return err
		}
		a.SHA256 = hex.EncodeToString(sum.Sum(nil))
		return nil
	}
	inner, err := os.ReadDir(name)
	if err != nil || len(inner) == 0 {
		return err
	}
	dir := filepath.Join(name, inner[0].Name())
	sets, err := readValues(filepath.Join(dir, itemValues))
	if err != nil || len(sets) == 0 {
		return err
	}
	a.Item, err = exportedItem(dir, sets[0])
	return err
}

// readValues reads a dump: sets of entries, each with a type, perhaps the name
// that it stands for, and its bytes in hexadecimal. Where there is none there are none.
func readValues(name string) ([]map[string][]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var sets []map[string][]byte
	var entry, kind, current string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		label, rest, _ := strings.Cut(lines.Text(), ":")
		rest = strings.TrimSpace(rest)
		switch label {
		case "Set":
			if n, err := strconv.Atoi(rest); err == nil && n >= len(sets) {
				sets = append(sets, map[string][]byte{})
			}
		case "Entry type", "Maps to entry type":
			entry = strings.TrimPrefix(rest, "0x0000")
		case "Maps to entry":
			entry = strings.ToLower(rest) + ":"
		case "Value type":
			kind = strings.TrimPrefix(rest, "0x0000")
		case "Value":
			current = entry + kind
			sets[len(sets)-1][current] = []byte{}
		default:
			if len(label) == 10 && strings.HasPrefix(label, "0x") && len(sets) > 0 {
				b, err := hexLine(rest)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				sets[len(sets)-1][current] = append(sets[len(sets)-1][current], b...)
			}
		}
	}
	return sets, lines.Err()
}

// hexLine reads "52 00 45 00  46 00   R.E. F.": sixteen bytes at most, in two groups,
// then the same as text.
func hexLine(s string) ([]byte, error) {
	b := make([]byte, 0, 16)
	for i := 0; i < 16; i++ {
		at := 3*i + i/8
		if at+2 > len(s) || s[at] == ' ' {
			break
		}
		n, err := hex.DecodeString(s[at : at+2])
		if err != nil {
			return nil, err
		}
		b = append(b, n...)
	}
	return b, nil
}

// TestReadValues: the parser of dumps is right about lines of each length.
func TestReadValues(t *testing.T) {
	name := filepath.Join(t.TempDir(), itemValues)
	var dump strings.Builder
	dump.WriteString("Number of sets:\t\t\t1\n\nSet:\t\t\t\t0\nEntry:\t\t\t\t0\nEntry type:\t\t\t0x00000037\nValue type:\t\t\t0x0000001f\nValue:\n")
	text := "Sixteen and some more: 0x00000010: ff"
	var raw []byte
	for _, u := range utf16.Encode([]rune(text)) {
		raw = binary.LittleEndian.AppendUint16(raw, u)
	}
	for at := 0; at < len(raw); at += 16 {
		fmt.Fprintf(&dump, "0x%08x: ", at)
		for i, c := range raw[at:min(at+16, len(raw))] {
			fmt.Fprintf(&dump, "%02x ", c)
			if i == 7 {
				dump.WriteByte(' ')
			}
		}
		dump.WriteString("  R.E.\n")
	}
	if err := os.WriteFile(name, []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	sets, err := readValues(name)
	if err != nil || len(sets) != 1 || rawText(sets[0], pst.PidTagSubject) != text {
		t.Errorf("%q %v", sets, err)
	}
}
