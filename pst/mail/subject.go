package mail

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"keepwatch/pst"
)

// maxSubject is how many characters Outlook shows and edits of a subject. The whole
// one stays in the transport headers.
const maxSubject = 255

// subject sets the subject in its parts, and the conversation.
func (m *importer) subject() {
	prefix, topic := splitSubject(clip16(clean(words(m.head.get("subject"))), maxSubject))
	m.sink.Set(pst.P(pst.PidTagSubject, joinSubject(prefix, topic)), pst.P(pst.PidTagNormalizedSubject, topic))
	if prefix != "" {
		m.sink.Set(pst.P(pst.PidTagSubjectPrefix, prefix))
	}
	if t := clip16(clean(words(m.head.get("thread-topic"))), maxSubject); t != "" {
		topic = t
	}
	m.sink.Set(pst.P(pst.PidTagConversationTopic, topic))
	m.conversation(topic)
}

// splitSubject takes the prefix off a subject: one to three characters that are no
// digits, a colon, and spaces ([MS-PST] 2.5.3.1.1.2).
func splitSubject(s string) (prefix, rest string) {
	i := strings.IndexByte(s, ':')
	if i <= 0 {
		return "", s
	}
	n := 0
	for _, r := range s[:i] {
		if unicode.IsSpace(r) || unicode.IsDigit(r) {
			return "", s
		}
		n++
	}
	if n > 3 {
		return "", s
	}
	rest = strings.TrimLeft(s[i+1:], " ")
	return s[:len(s)-len(rest)], rest
}

// joinSubject makes the value of PidTagSubject: U+0001, the length of the prefix and
// one more, and the subject ([MS-PST] 2.5.3.1.1.1).
func joinSubject(prefix, rest string) string {
	if prefix == "" && rest == "" {
		return ""
	}
	return "\x01" + string(rune(len(utf16.Encode([]rune(prefix)))+1)) + prefix + rest
}

// Subject is the whole subject of a message, without the mark that PidTagSubject may
// begin with.
func Subject(p pst.Properties) string {
	s := p.Text(pst.PidTagSubject)
	if r := []rune(clip(s, 10)); len(r) >= 2 && r[0] == 1 {
		return s[1+len(string(r[1])):]
	}
	if s == "" {
		return p.Text(pst.PidTagSubjectPrefix) + p.Text(pst.PidTagNormalizedSubject)
	}
	return s
}

// conversation sets what makes messages one thread. A Thread-Index header, which
// Exchange and Outlook send, is PidTagConversationIndex in base64, and its GUID is
// the conversation. Without it the conversation is the topic, by the algorithm of
// [MS-PST] 5.4, and an index of 22 bytes is made with the same GUID.
func (m *importer) conversation(topic string) {
	if index, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m.head.get("thread-index")), "")); err == nil && len(index) >= 22 && index[0] == 1 && len(index) <= 22+5*500 {
		m.sink.Set(pst.P(pst.PidTagConversationIndex, index), pst.P(pst.PidTagConversationIndexTracking, true), pst.P(pst.PidTagConversationId, index[6:22]))
		return
	}
	id := topicID(topic)
	if id != nil {
		m.sink.Set(pst.P(pst.PidTagConversationId, id))
	} else {
		sum := md5.Sum([]byte(m.head.get("message-id")))
		id = sum[:]
	}
	m.sink.Set(pst.P(pst.PidTagConversationIndex, conversationIndex(m.sent, id)))
}

// topicID is the conversation of a topic, [MS-PST] 5.4: none for no topic, or one of
// 256 characters and more.
func topicID(topic string) []byte {
	b := pst.AppendUTF16(nil, strings.Map(unicode.ToUpper, topic))
	if len(b) == 0 || len(b) >= 2*256 {
		return nil
	}
	sum := md5.Sum(b)
	return sum[:]
}

// conversationIndex makes the header of an index, [MS-OXOMSG] 2.2.1.3: 1, five bytes
// of a FILETIME, and a GUID. In what Outlook writes the five follow the first byte of
// the FILETIME, which is 1 from 1829 to 2057.
func conversationIndex(at time.Time, id []byte) []byte {
	var v [8]byte
	if !at.IsZero() {
		binary.BigEndian.PutUint64(v[:], pst.Filetime(at))
	}
	v[0] = 1
	return append(append(make([]byte, 0, 22), v[:6]...), id...)
}
