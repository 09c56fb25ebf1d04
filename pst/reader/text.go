package reader

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// utf16Text reads UTF-16, little-endian, without what a value of a file may not
// have: U+0000. A lone surrogate becomes U+FFFD.
func utf16Text(b []byte) string {
	for len(b) >= 2 && b[len(b)&^1-1] == 0 && b[len(b)&^1-2] == 0 {
		b = b[:len(b)&^1-2]
	}
	out := make([]byte, 0, len(b)/2+len(b)/8)
	for i := 0; i+1 < len(b); i += 2 {
		u := binary.LittleEndian.Uint16(b[i:])
		if u < utf8.RuneSelf {
			if u != 0 {
				out = append(out, byte(u))
			}
			continue
		}
		r := rune(u)
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if i+3 < len(b) {
				second = rune(binary.LittleEndian.Uint16(b[i+2:]))
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				i += 2
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// codepageText reads a text of 8 bits in a Windows code page. What is not valid in
// it becomes U+FFFD; a code page that is not known is read as Western European.
func codepageText(b []byte, page int) string {
	b = bytes.TrimRight(b, "\x00")
	if s := string(b); ascii(b) && page != 1200 && page != 1201 {
		return strings.ReplaceAll(s, "\x00", "")
	}
	e, ok := codepages[page]
	if !ok {
		e = charmap.Windows1252
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		out = b
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(out), "\uFFFD"), "\x00", "")
}

// ascii tells whether every byte stands for itself in any code page: also those
// that shift with ESC or "~{" are told from it.
func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || c == 0x1B || c == '~' {
			return false
		}
	}
	return true
}

// codepages are those of Windows, by their number ("Code Page Identifiers" in
// Microsoft's documentation of Win32).
var codepages = map[int]encoding.Encoding{
	437:   charmap.CodePage437,
	850:   charmap.CodePage850,
	852:   charmap.CodePage852,
	855:   charmap.CodePage855,
	858:   charmap.CodePage858,
	860:   charmap.CodePage860,
	862:   charmap.CodePage862,
	863:   charmap.CodePage863,
	865:   charmap.CodePage865,
	866:   charmap.CodePage866,
	874:   charmap.Windows874,
	932:   japanese.ShiftJIS,
	936:   simplifiedchinese.GBK,
	949:   korean.EUCKR,
	950:   traditionalchinese.Big5,
	1200:  unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	1201:  unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	1250:  charmap.Windows1250,
	1251:  charmap.Windows1251,
	1252:  charmap.Windows1252,
	1253:  charmap.Windows1253,
	1254:  charmap.Windows1254,
	1255:  charmap.Windows1255,
	1256:  charmap.Windows1256,
	1257:  charmap.Windows1257,
	1258:  charmap.Windows1258,
	10000: charmap.Macintosh,
	10007: charmap.MacintoshCyrillic,
	20866: charmap.KOI8R,
	20932: japanese.EUCJP,
	21866: charmap.KOI8U,
	28591: charmap.ISO8859_1,
	28592: charmap.ISO8859_2,
	28593: charmap.ISO8859_3,
	28594: charmap.ISO8859_4,
	28595: charmap.ISO8859_5,
	28596: charmap.ISO8859_6,
	28597: charmap.ISO8859_7,
	28598: charmap.ISO8859_8,
	28599: charmap.ISO8859_9,
	28603: charmap.ISO8859_13,
	28605: charmap.ISO8859_15,
	38598: charmap.ISO8859_8I,
	50220: japanese.ISO2022JP,
	50221: japanese.ISO2022JP,
	50222: japanese.ISO2022JP,
	51932: japanese.EUCJP,
	51936: simplifiedchinese.GBK,
	51949: korean.EUCKR,
	52936: simplifiedchinese.HZGB2312,
	54936: simplifiedchinese.GB18030,
	65001: unicode.UTF8,
}
