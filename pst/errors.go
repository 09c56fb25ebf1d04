package pst

import "errors"

// ErrNoContent is what an attachment says that has no data of the kind asked for:
// a link, or an embedded message where bytes are wanted.
var ErrNoContent = errors.New("the attachment has no content of this kind")

// Ref is the value of an Object property: the subnode that holds the object, and
// its size in bytes ([MS-PST] 2.3.3.5).
type Ref struct {
	Node NID
	Size uint32
}
