package mail

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
)

// readRTF takes the HTML out of a body in RTF that was made from HTML (\fromhtml), by
// [MS-OXRTFEX] 3.1.3, and the text out of any other.
func readRTF(rtf []byte) (text string, html bool) {
	r := rtfReader{b: rtf, page: 1252, fonts: map[int]int32{}}
	r.group.uc = 1
	r.html = bytes.Contains(rtf[:min(len(rtf), 4096)], []byte(`\fromhtml`))
	for r.i < len(r.b) {
		r.step()
	}
	r.flush()
	return r.out.String(), r.html
}

// plainRTF tells whether a body in RTF is only the wrapping of a text.
func plainRTF(rtf []byte) bool {
	return bytes.Contains(rtf[:min(len(rtf), 4096)], []byte(`\fromtext`))
}

// rtfGroup is what is inherited by the groups in a group.
type rtfGroup struct {
	skip    bool // a destination that is not shown
	hidden  bool // between \htmlrtf and \htmlrtf0
	tag     bool // in a \*\htmltag
	fonts   bool // in the font table
	uc      int  // characters that stand for a \u where it is not known
	font    int
	starred bool // after \*, before the word that it belongs to
}

type rtfReader struct {
	b     []byte
	i     int
	html  bool
	page  int32 // of \ansicpg
	fonts map[int]int32
	group rtfGroup
	stack []rtfGroup
	bytes []byte   // 8-bit text that is not decoded yet
	units []uint16 // UTF-16 that is not decoded yet
	drop  int      // characters to leave out after a \u
	out   strings.Builder
}

func (r *rtfReader) step() {
	c := r.b[r.i]
	r.i++
	switch c {
	case '{':
		r.drop = 0
		if len(r.stack) < 10_000 {
			r.stack = append(r.stack, r.group)
		}
	case '}':
		r.flush()
		r.drop = 0
		if n := len(r.stack); n > 0 {
			r.group, r.stack = r.stack[n-1], r.stack[:n-1]
		}
	case '\\':
		r.control()
	case '\r', '\n':
	default:
		r.char(c)
	}
}

// control reads a control word or symbol.
func (r *rtfReader) control() {
	if r.i >= len(r.b) {
		return
	}
	c := r.b[r.i]
	if c < 'a' || c > 'z' {
		r.i++
		r.symbol(c)
		return
	}
	from := r.i
	for r.i < len(r.b) && (r.b[r.i] >= 'a' && r.b[r.i] <= 'z' || r.b[r.i] >= 'A' && r.b[r.i] <= 'Z') {
		r.i++
	}
	word := string(r.b[from:r.i])
	from = r.i
	if r.i < len(r.b) && r.b[r.i] == '-' {
		r.i++
	}
	for r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9' {
		r.i++
	}
	n, err := strconv.Atoi(string(r.b[from:r.i]))
	if r.i < len(r.b) && r.b[r.i] == ' ' {
		r.i++
	}
	r.word(word, n, err == nil)
	r.group.starred = false
}

func (r *rtfReader) symbol(c byte) {
	switch c {
	case '*':
		r.group.starred = true
	case '\'':
		if r.i+2 <= len(r.b) {
			hi, lo := unhex(r.b[r.i]), unhex(r.b[r.i+1])
			r.i += 2
			if hi >= 0 && lo >= 0 {
				r.char(byte(hi<<4 | lo))
			}
		}
	case '~':
		r.special("\u00A0", "&nbsp;")
	case '_':
		r.special("\u2011", "&shy;")
	case '-':
	case '\r', '\n':
		r.special("\r\n", "\r\n")
	default:
		r.char(c)
	}
}

// destinations are groups that hold no text.
var destinations = map[string]bool{"fonttbl": true, "colortbl": true, "stylesheet": true, "info": true, "pict": true, "object": true, "header": true, "footer": true, "listtable": true, "fldinst": true, "themedata": true, "datastore": true}

// specials are words that stand for a character, in text and in HTML ([MS-OXRTFEX] 3.1.3.2).
var specials = map[string][2]string{"par": {"\r\n", "\r\n"}, "line": {"\r\n", "\r\n"}, "tab": {"\t", "\t"}, "lquote": {"\u2018", "&lsquo;"}, "rquote": {"\u2019", "&rsquo;"},
	"ldblquote": {"\u201C", "&ldquo;"}, "rdblquote": {"\u201D", "&rdquo;"}, "bullet": {"\u2022", "&bull;"}, "endash": {"\u2013", "&ndash;"}, "emdash": {"\u2014", "&mdash;"}, "cell": {"\t", "\t"}, "row": {"\r\n", "\r\n"}}

func (r *rtfReader) word(w string, n int, has bool) {
	g := &r.group
	switch {
	case w == "htmltag":
		g.tag, g.skip = true, !r.html
	case destinations[w] && !(w == "fldinst" && !g.starred) || g.starred && w != "fldrslt" && w != "shppict":
		g.skip = true
		g.fonts = w == "fonttbl"
	case w == "htmlrtf":
		r.flush()
		g.hidden = r.html && !(has && n == 0)
	case w == "ansicpg":
		if has && n > 0 {
			r.page = int32(n)
		}
	case w == "uc":
		g.uc = max(min(n, 10), 0)
	case w == "u":
		r.unit(uint16(n))
	case w == "f":
		r.flush()
		g.font = n
	case w == "plain":
		r.flush()
		g.font = 0
	case w == "fcharset" && g.fonts:
		r.fonts[g.font] = fontPages[n]
	default:
		if s, ok := specials[w]; ok {
			r.special(s[0], s[1])
		}
	}
}

// fontPages are the code pages of \fcharset, from the RTF specification 1.9.1.
var fontPages = map[int]int32{77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250}

func (r *rtfReader) shown() bool { return !r.group.skip && !r.group.hidden }

// char takes a byte of text.
func (r *rtfReader) char(c byte) {
	if r.drop > 0 {
		r.drop--
		return
	}
	if !r.shown() {
		return
	}
	r.flushUnits()
	r.bytes = append(r.bytes, c)
}

func (r *rtfReader) unit(u uint16) {
	r.drop = r.group.uc
	if r.shown() {
		r.flushBytes()
		r.units = append(r.units, u)
	}
}

func (r *rtfReader) special(text, html string) {
	if !r.shown() {
		return
	}
	r.flush()
	// In a tag of HTML there are no entities for what only RTF has a word for.
	if r.html && !r.group.tag {
		text = html
	}
	r.out.WriteString(text)
}

func (r *rtfReader) flush() {
	r.flushBytes()
	r.flushUnits()
}

func (r *rtfReader) flushUnits() {
	if len(r.units) > 0 {
		r.out.WriteString(strings.ReplaceAll(string(utf16.Decode(r.units)), "\x00", ""))
		r.units = r.units[:0]
	}
}

func (r *rtfReader) flushBytes() {
	if len(r.bytes) == 0 {
		return
	}
	page := r.page
	if p := r.fonts[r.group.font]; p != 0 {
		page = p
	}
	name := pageName(page)
	if page == 949 {
		name = "euc-kr"
	}
	text, _ := decodeText(r.bytes, name)
	r.out.WriteString(strings.ReplaceAll(text, "\x00", ""))
	r.bytes = r.bytes[:0]
}
