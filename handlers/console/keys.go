package console

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// key is one key press, or one paste.
type key struct {
	code code
	text string // of keyText and keyPaste
}

// code says which key it is.
type code uint8

const (
	keyNone code = iota
	keyText
	keyPaste
	keyEnter
	keyTab
	keyBackTab
	keyEscape
	keyInterrupt // Ctrl-C
	keyEnd       // of the input: Ctrl-D
	keyClear     // Ctrl-L
	keyUp
	keyDown
	keyLeft
	keyRight
	keyWordLeft
	keyWordRight
	keyHome
	keyLast
	keyBackspace
	keyDelete
	keyKillWord
	keyKillNextWord
	keyKillBefore
	keyKillAfter
	keyYank
)

// controls gives the keys of single bytes, as GNU readline has them.
func controls(c byte) code {
	switch c {
	case 0x01:
		return keyHome
	case 0x02:
		return keyLeft
	case 0x03:
		return keyInterrupt
	case 0x04:
		return keyEnd
	case 0x05:
		return keyLast
	case 0x06:
		return keyRight
	case '\b', 0x7f:
		return keyBackspace
	case '\t':
		return keyTab
	case '\r', '\n':
		return keyEnter
	case 0x0b:
		return keyKillAfter
	case 0x0c:
		return keyClear
	case 0x0e:
		return keyDown
	case 0x10:
		return keyUp
	case 0x15:
		return keyKillBefore
	case 0x17:
		return keyKillWord
	case 0x19:
		return keyYank
	}
	return keyNone
}

// sequences gives the keys behind "ESC [": those of xterm, the Linux console,
// rxvt, screen and tmux.
func sequences(params string, final byte) code {
	word := strings.HasPrefix(params, "1;") && params != "1;2" // with Alt or Control
	switch final {
	case 'A':
		return keyUp
	case 'B':
		return keyDown
	case 'C':
		if word {
			return keyWordRight
		}
		return keyRight
	case 'D':
		if word {
			return keyWordLeft
		}
		return keyLeft
	case 'H':
		return keyHome
	case 'F':
		return keyLast
	case 'Z':
		return keyBackTab
	case '~':
		switch params {
		case "1", "7":
			return keyHome
		case "4", "8":
			return keyLast
		case "3":
			return keyDelete
		}
	}
	return keyNone
}

// alts gives the keys behind a single ESC.
func alts(c byte) code {
	switch c {
	case 'b':
		return keyWordLeft
	case 'f':
		return keyWordRight
	case 'd':
		return keyKillNextWord
	case 0x7f, '\b':
		return keyKillWord
	}
	return keyNone
}

// The bracketed paste of xterm, ctlseqs "Bracketed Paste Mode".
const (
	pasteBegins = "200"
	pasteEnds   = "\x1b[201~"
)

// maxSequence is the longest escape sequence that is waited for, in bytes.
const maxSequence = 32

// decoder makes keys of the bytes that a terminal sends.
type decoder struct {
	buf     []byte // not yet understood
	pasting bool
	pasted  []byte
}

// feed takes in bytes and gives the keys that are complete.
func (d *decoder) feed(p []byte) []key {
	d.buf = append(d.buf, p...)
	var keys []key
	for len(d.buf) > 0 {
		if d.pasting {
			k, ok := d.paste()
			if !ok {
				break
			}
			keys = append(keys, k)
			continue
		}
		k, n := d.next()
		if n == 0 {
			break
		}
		d.buf = d.buf[n:]
		if k.code != keyNone {
			keys = join(keys, k)
		}
	}
	return keys
}

// join appends a key; what is typed in one go stays together.
func join(keys []key, k key) []key {
	if n := len(keys); n > 0 && k.code == keyText && keys[n-1].code == keyText {
		keys[n-1].text += k.text
		return keys
	}
	return append(keys, k)
}

// waiting reports whether a sequence has begun that may go on, or be the Escape
// key alone.
func (d *decoder) waiting() bool { return len(d.buf) > 0 && !d.pasting }

// pause is called when nothing more has come for a moment: a lone ESC was the
// key, and the rest of anything else will not come.
func (d *decoder) pause() []key {
	if !d.waiting() {
		return nil
	}
	lone := d.buf[0] == 0x1b && len(d.buf) == 1
	d.buf = d.buf[:0]
	if lone {
		return []key{{code: keyEscape}}
	}
	return nil
}

// next gives the first key of the buffer and its length; 0: it is not all there.
func (d *decoder) next() (key, int) {
	c := d.buf[0]
	switch {
	case c == 0x1b:
		return d.escape()
	case c < 0x20 || c == 0x7f:
		return key{code: controls(c)}, 1
	case !utf8.FullRune(d.buf):
		return key{}, 0
	}
	r, n := utf8.DecodeRune(d.buf)
	if (r == utf8.RuneError && n == 1) || unicode.IsControl(r) {
		return key{}, n
	}
	return key{keyText, string(r)}, n
}

// escape reads a sequence: ECMA-48 5.4 says how each ends.
func (d *decoder) escape() (key, int) {
	if len(d.buf) < 2 {
		return key{}, 0
	}
	switch d.buf[1] {
	case 0x1b: // the first one was the key
		return key{code: keyEscape}, 1
	case 'O':
		if len(d.buf) < 3 {
			return key{}, 0
		}
		return key{code: sequences("", d.buf[2])}, 3
	case '[':
	default:
		return key{code: alts(d.buf[1])}, 2
	}
	for i, c := range d.buf[2:] {
		switch {
		case c >= 0x40 && c <= 0x7e:
			params := string(d.buf[2 : 2+i])
			d.pasting = c == '~' && params == pasteBegins
			return key{code: sequences(params, c)}, 3 + i
		case c < 0x20 || c > 0x7e || i > maxSequence:
			return key{}, 2 + i // no sequence: what follows it counts
		}
	}
	return key{}, 0
}

// paste collects what is pasted; more than a line may have is let go of, and
// noticed by whoever takes it.
func (d *decoder) paste() (key, bool) {
	text := string(d.buf)
	end := strings.Index(text, pasteEnds)
	take := max(end, 0)
	if end < 0 { // the mark itself may be cut in two
		take = max(len(text)-len(pasteEnds)+1, 0)
	}
	if room := maxLine + 1 - len(d.pasted); room > 0 {
		d.pasted = append(d.pasted, text[:min(take, room)]...)
	}
	if end < 0 {
		d.buf = d.buf[take:]
		return key{}, false
	}
	d.buf = d.buf[end+len(pasteEnds):]
	k := key{keyPaste, strings.ToValidUTF8(string(d.pasted), "")}
	d.pasting, d.pasted = false, nil
	return k, true
}
