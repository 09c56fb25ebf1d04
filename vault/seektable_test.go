package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// compressed packs data in frames of a size, with their table behind.
func compressed(t testing.TB, data []byte, size int) []byte {
	t.Helper()
	enc, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	c := newCompressor(enc, &b, size)
	c.table = &tableWriter{}
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shown shows compressed bytes to a frameWatch in pieces, and gives what it says.
func shown(data []byte, piece int) string {
	w := newFrameWatch()
	for len(data) > 0 {
		n := min(piece, len(data))
		_, _ = w.Write(data[:n])
		data = data[n:]
	}
	return w.wrong(-1)
}

// TestSeekTable: by the table every byte is found, in files of every number of frames,
// and whoever follows the frames finds nothing wrong with it.
func TestSeekTable(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 511, 512, 1000, 1024, 1025, 3072, 100_000} {
		for what, data := range map[string][]byte{"noise": noise(n, 1), "zeros": make([]byte, n), "text": []byte(strings.Repeat("again ", n/6+1))[:n]} {
			packed := compressed(t, data, 1024)
			s, err := readSeekTable(bytes.NewReader(packed), int64(len(packed)))
			if err != nil || s.plain != int64(n) {
				t.Fatalf("%d bytes of %s: %+v, %v", n, what, s, err)
			}
			dec, err := zstd.NewReader(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []int{0, n - 1, n / 2, n / 3, 1023, 1024} {
				p, err := s.find(int64(at))
				if at < 0 || at >= n {
					if err == nil {
						t.Errorf("%d bytes of %s: a byte %d is found", n, what, at)
					}
					continue
				}
				if err != nil || p.plain > int64(at) || p.plain+1024 <= int64(at) {
					t.Fatalf("%d bytes of %s: byte %d is in %+v, %v", n, what, at, p, err)
				}
				if got, err := dec.DecodeAll(packed[p.compressed:], nil); err != nil || !bytes.Equal(got, data[p.plain:]) {
					t.Errorf("%d bytes of %s, from frame %d on: %d bytes, %v", n, what, p.frame, len(got), err)
				}
			}
			dec.Close()
			watch := newFrameWatch()
			if _, _ = watch.Write(packed); n%tarBlock == 0 && watch.blind {
				t.Errorf("%d bytes of %s, as a tar has them: nobody can judge the table", n, what)
			}
			for _, piece := range []int{1, 7, 4096, len(packed)} {
				if wrong := shown(packed, piece); n > 0 && wrong != "" {
					t.Errorf("%d bytes of %s, seen by %d: %s", n, what, piece, wrong)
				}
			}
		}
	}
}

// TestSeekTableIsChecked: each byte of a table that is another one is told of, or read
// by nobody.
func TestSeekTableIsChecked(t *testing.T) {
	packed := compressed(t, noise(5000, 1), 1024)
	frames, table := ofTable(t, packed)
	for i := range table {
		bad := bytes.Clone(packed)
		bad[len(frames)+i] ^= 1
		dec, err := zstd.NewReader(bytes.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		_, unpacks := io.Copy(io.Discard, dec)
		dec.Close()
		_, reads := readSeekTable(bytes.NewReader(bad), int64(len(bad)))
		if unpacks == nil && shown(bad, 100) == "" && reads == nil {
			t.Errorf("byte %d of the table may be another one", i)
		}
	}
	for n := range table {
		cut := packed[:len(frames)+n]
		if n > 0 && !told(t, cut) {
			t.Errorf("nobody tells of a table of %d bytes that should have %d", n, len(table))
		}
		if _, err := readSeekTable(bytes.NewReader(cut), int64(len(cut))); err == nil {
			t.Errorf("a table of %d bytes is taken for one of %d", n, len(table))
		}
	}
	for _, behind := range []string{"\x00", "\x28\xb5", "\x28\xb5\x2f", string(table), string(frames)} {
		if !told(t, append(bytes.Clone(packed), behind...)) {
			t.Errorf("nobody tells of %d bytes behind the table", len(behind))
		}
	}
}

// told reports whether a verification tells of something, by unpacking or by the table.
func told(t *testing.T, data []byte) bool {
	t.Helper()
	dec, err := zstd.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	_, err = io.Copy(io.Discard, dec)
	return err != nil || shown(data, 100) != ""
}

// TestSeekTableOfOthers: zstd reads a tree with a table as one without, and counts the
// table as a frame to be skipped.
func TestSeekTableOfOthers(t *testing.T) {
	peer(t, "age", "zstd", "sh")
	v := newVault(t)
	a := seal(t, v, 1, shelf(2)...)
	sh := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-ec", script)
		cmd.Dir, cmd.Env = v.Path(a.Ref()), append(os.Environ(), "KEY="+v.keys.file, "OUT="+t.TempDir(), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	tree := decrypted(t, v, filepath.Join(v.Path(a.Ref()), treeName))
	s, err := readSeekTable(bytes.NewReader(tree), int64(len(tree)))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(sh(`age -d -i "$KEY" notes.tar.zst.age > "$OUT/notes.tar.zst"; zstd -t -q "$OUT/notes.tar.zst"; zstd -l "$OUT/notes.tar.zst"`)) {
		if strings.Contains(line, "notes.tar.zst") && !strings.HasPrefix(strings.Join(strings.Fields(line), " "), fmt.Sprintf("%d 1 ", s.frames+1)) {
			t.Errorf("zstd -l says %q of %d frames and a table", line, s.frames)
		}
	}
}

// FuzzSeekTable: whatever is taken for a table adds up, leads nowhere but into what lies
// before it, and is written the same. Where it is behind frames that unpack and is found
// right, each of its frames is one.
func FuzzSeekTable(f *testing.F) {
	small := compressed(f, []byte(strings.Repeat("again and again ", 200)), 1024)
	f.Add(small, uint8(3))
	f.Add(compressed(f, nil, 1024), uint8(1))
	f.Add(compressed(f, noise(3000, 1), 1024), uint8(255))
	f.Add(append(make([]byte, 24), tableOf(8, 100, 8, 1<<32-1, 8, 0)...), uint8(5))
	f.Add(append(make([]byte, 9), tableOf(1<<32-1, 1<<32-1)...), uint8(9))
	f.Add(append(make([]byte, 8), tableOf(0, 100, 8, 100)...), uint8(9))
	f.Add(binary.LittleEndian.AppendUint32([]byte{255, 255, 255, 255, 0}, seekableMagic), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		wrong := shown(data, int(piece)+1)
		s, err := readSeekTable(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		if s.begin < 0 || s.begin > int64(len(data)) || s.plain < 0 {
			t.Fatalf("%+v of %d bytes", s, len(data))
		}
		if end, err := s.walk(tablePlace{}, func(tablePlace) bool { return true }); err != nil || end != (tablePlace{s.frames, s.begin, s.plain}) {
			t.Fatalf("it adds up to %+v of %+v, %v", end, s, err)
		}
		for at, n := int64(0), 0; at < s.plain && n < 200; n++ {
			p, err := s.find(at)
			if err != nil || p.plain > at || p.compressed < 0 || p.compressed >= s.begin {
				t.Fatalf("byte %d of %d: %+v, %v", at, s.plain, p, err)
			}
			end, err := s.walk(p, func(behind tablePlace) bool { return behind.frame == p.frame+1 })
			if err != nil || end.plain <= at || end.compressed <= p.compressed {
				t.Fatalf("behind byte %d: %+v, %v", at, end, err)
			}
			at = end.plain
		}
		dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(16<<20))
		if err != nil {
			t.Fatal(err)
		}
		defer dec.Close()
		whole, err := dec.DecodeAll(data, nil)
		if err != nil || wrong != "" {
			return
		}
		if int64(len(whole)) != s.plain {
			return // a frame does not say what it holds
		}
		for at := int64(0); at < s.plain; at += max(s.plain/20, 1) {
			p, err := s.find(at)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := dec.DecodeAll(data[p.compressed:], nil); err != nil || !bytes.Equal(got, whole[p.plain:]) {
				t.Errorf("from frame %d on: %d bytes, %v", p.frame, len(got), err)
			}
		}
	})
}

// TestNoRoomForTheTable: an error of the disk at any byte of the frames or the table comes
// back.
func TestNoRoomForTheTable(t *testing.T) {
	data := noise(5000, 1)
	packed := compressed(t, data, 1024)
	enc, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("no room")
	for room := range len(packed) + 1 {
		left := room
		c := newCompressor(enc, writerFunc(func(p []byte) (int, error) {
			if left -= len(p); left < 0 {
				return 0, full
			}
			return len(p), nil
		}), 1024)
		c.table = &tableWriter{}
		_, err := c.Write(data)
		if closed := c.Close(); room < len(packed) && !errors.Is(closed, full) || room == len(packed) && (err != nil || closed != nil) {
			t.Fatalf("with room for %d of %d bytes: %v, %v", room, len(packed), err, closed)
		}
	}
}
