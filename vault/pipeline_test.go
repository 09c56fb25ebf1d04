package vault

import (
	"io"
	"strings"
	"testing"
)

// TestAPanicInAStageIsAnError: it ends the run whose archive it is, and not the
// program.
func TestAPanicInAStageIsAnError(t *testing.T) {
	broken := writerFunc(func([]byte) (int, error) { panic("a fault") })
	enc, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]io.WriteCloser{
		"stage": newStage(broken), "compressor": newCompressor(enc, broken, frameSize), "encoder": newCompressor(nil, io.Discard, frameSize),
	} {
		_, _ = w.Write(make([]byte, 3*frameSize))
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), "panic: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := newReadAhead(readerFunc(func([]byte) (int, error) { panic("a fault") }), chunk)
	defer r.stop()
	if _, err := io.ReadAll(r); err == nil || !strings.Contains(err.Error(), "panic: a fault") {
		t.Errorf("reader: %v", err)
	}
}
