package pim

import (
	"encoding/binary"

	"keepwatch/pst"
)

// maxMembers is how many bytes the properties of members may have before they become
// a stream, [MS-OXOCNTC] 2.2.2.2.1.
const maxMembers = 15000

// writeGroup sets what makes a group: its name, and each member as an entry id, and
// again as a one-off one, with a checksum that tells whether they are in step.
func (c *Contact) writeGroup(s pst.Sink) {
	s.Set(pst.P(pst.PidTagMessageClass, "IPM.DistList"), pst.P(pst.PidTagIconIndex, int32(pst.IconDistList)),
		pst.P(pst.PidLidFileUnderId, int32(pst.FileUnderByUser)), pst.P(pst.PidLidAddressBookProviderArrayType, int32(0)))
	setText(s, pst.PidLidDistributionListName, c.DisplayName)
	var ids [][]byte
	size := 4
	for _, m := range c.Members {
		id := pst.OneOff(m.Name, firstOf(m.Type, "SMTP"), m.Address)
		ids = append(ids, id)
		size += len(id) + 4
	}
	switch {
	case len(ids) == 0:
	case size < maxMembers:
		s.Set(pst.P(pst.PidLidDistributionListMembers, ids), pst.P(pst.PidLidDistributionListOneOffMembers, ids),
			pst.P(pst.PidLidDistributionListChecksum, groupChecksum(ids)))
	default:
		s.Set(pst.P(pst.PidLidDistributionListStream, groupStream(ids)))
	}
}

// groupChecksum is PidLidDistributionListChecksum: the checksum of all members, one
// behind the other. The real list of the samples has this one.
func groupChecksum(ids [][]byte) int32 {
	var all []byte
	for _, id := range ids {
		all = append(all, id...)
	}
	return int32(pst.Checksum(all))
}

// groupStream is PidLidDistributionListStream, [MS-OXOCNTC] 2.2.2.2.4: a head, and each
// member as two entry ids with their lengths.
func groupStream(ids [][]byte) []byte {
	total := 0
	for _, id := range ids {
		total += len(id)
	}
	le := binary.LittleEndian
	b := make([]byte, 0, 28+2*total+12*len(ids)+8)
	b = le.AppendUint16(b, 1) // version
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, 0) // build
	b = le.AppendUint32(b, 0) // flags
	b = le.AppendUint32(b, uint32(len(ids)))
	b = le.AppendUint32(b, uint32(total))
	b = le.AppendUint32(b, uint32(total))
	b = le.AppendUint32(b, 0) // of extras
	for _, id := range ids {
		b = append(le.AppendUint32(b, uint32(len(id))), id...)
		b = append(le.AppendUint32(b, uint32(len(id))), id...)
		b = le.AppendUint32(b, 0)
	}
	return append(b, make([]byte, 8)...)
}

// membersOf reads the members: from the stream, or from the one-off ids, or where a
// client wrote none of those from the ids themselves. One that is no one-off id, and
// so only Outlook's own address book knows it, has no address.
func membersOf(ps pst.Properties) []Member {
	ids := ps.Bytes(pst.PidLidDistributionListStream)
	list := get[[][]byte](ps, pst.PidLidDistributionListOneOffMembers)
	if len(list) == 0 {
		list = get[[][]byte](ps, pst.PidLidDistributionListMembers)
	}
	if len(ids) > 0 {
		list = splitGroupStream(ids)
	}
	var all []Member
	for _, id := range list {
		name, kind, address, ok := pst.ParseOneOff(id)
		if ok {
			all = append(all, Member{Name: tidy(name), Type: firstOf(tidy(kind), "SMTP"), Address: tidy(address)})
		}
	}
	return all
}

// splitGroupStream gives the one-off id of each member, as far as the stream goes.
func splitGroupStream(b []byte) [][]byte {
	if len(b) < 28 {
		return nil
	}
	b = b[28:]
	field := func() ([]byte, bool) {
		if len(b) < 4 {
			return nil, false
		}
		n := uint64(binary.LittleEndian.Uint32(b))
		if n > uint64(len(b)-4) {
			return nil, false
		}
		v := b[4 : 4+n]
		b = b[4+n:]
		return v, true
	}
	var all [][]byte
	for {
		id, ok1 := field()
		oneOff, ok2 := field()
		_, ok3 := field()
		if !ok1 || !ok2 || !ok3 {
			return all
		}
		if len(oneOff) == 0 {
			oneOff = id
		}
		all = append(all, oneOff)
	}
}
