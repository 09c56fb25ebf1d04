package pim

import "keepwatch/pst"

// PhoneKind is a number that an item has a place for.
type PhoneKind int

// The numbers, [MS-OXOCNTC] 2.2.1.4 and 2.2.1.2.6.
const (
	PhoneWork PhoneKind = iota
	PhoneWork2
	PhoneHome
	PhoneHome2
	PhoneMobile
	PhonePrimary
	PhoneOther
	PhoneCar
	PhonePager
	PhoneRadio
	PhoneISDN
	PhoneTelex
	PhoneAssistant
	PhoneCallback
	PhoneCompany
	PhoneText // text telephone (TTY, TDD)
	FaxWork
	FaxHome
	FaxPrimary
)

// phoneKinds are the kinds, with their properties and with what a vCard calls them:
// TEL with types, or X-MS-TEL ([MS-OXVCARD] 2.1.3.9.5) where those of RFC 2426 do not
// suffice.
var phoneKinds = []struct {
	kind  PhoneKind
	tag   pst.Tag
	name  string
	types []string
}{
	{PhoneWork, pst.PidTagBusinessTelephoneNumber, "TEL", []string{"WORK", "VOICE"}},
	{PhoneWork2, pst.PidTagBusiness2TelephoneNumber, "TEL", []string{"WORK", "VOICE"}},
	{PhoneHome, pst.PidTagHomeTelephoneNumber, "TEL", []string{"HOME", "VOICE"}},
	{PhoneHome2, pst.PidTagHome2TelephoneNumber, "TEL", []string{"HOME", "VOICE"}},
	{PhoneMobile, pst.PidTagMobileTelephoneNumber, "TEL", []string{"CELL", "VOICE"}},
	{PhonePrimary, pst.PidTagPrimaryTelephoneNumber, "TEL", []string{"PREF", "VOICE"}},
	{PhoneOther, pst.PidTagOtherTelephoneNumber, "TEL", []string{"VOICE"}},
	{PhoneCar, pst.PidTagCarTelephoneNumber, "TEL", []string{"CAR", "VOICE"}},
	{PhonePager, pst.PidTagPagerTelephoneNumber, "TEL", []string{"PAGER"}},
	{PhoneRadio, pst.PidTagRadioTelephoneNumber, "X-MS-TEL", []string{"RADIO"}},
	{PhoneISDN, pst.PidTagIsdnNumber, "TEL", []string{"ISDN"}},
	{PhoneTelex, pst.PidTagTelexNumber, "X-MS-TEL", []string{"TLX"}},
	{PhoneAssistant, pst.PidTagAssistantTelephoneNumber, "X-MS-TEL", []string{"ASSISTANT"}},
	{PhoneCallback, pst.PidTagCallbackTelephoneNumber, "X-MS-TEL", []string{"CALLBACK"}},
	{PhoneCompany, pst.PidTagCompanyMainTelephoneNumber, "X-MS-TEL", []string{"COMPANY"}},
	{PhoneText, pst.PidTagTelecommunicationsDeviceForDeafPhoneNumber, "X-MS-TEL", []string{"TTYTDD"}},
	{FaxWork, pst.PidTagBusinessFaxNumber, "TEL", []string{"WORK", "FAX"}},
	{FaxHome, pst.PidTagHomeFaxNumber, "TEL", []string{"HOME", "FAX"}},
	{FaxPrimary, pst.PidTagPrimaryFaxNumber, "TEL", []string{"FAX"}},
}

// contactTexts are the fields that are one property, as they are.
var contactTexts = []struct {
	key   pst.Key
	field func(*Contact) *string
}{
	{pst.PidTagDisplayNamePrefix, func(c *Contact) *string { return &c.Prefix }},
	{pst.PidTagGivenName, func(c *Contact) *string { return &c.Given }},
	{pst.PidTagMiddleName, func(c *Contact) *string { return &c.Middle }},
	{pst.PidTagSurname, func(c *Contact) *string { return &c.Surname }},
	{pst.PidTagGeneration, func(c *Contact) *string { return &c.Suffix }},
	{pst.PidTagNickname, func(c *Contact) *string { return &c.Nickname }},
	{pst.PidTagDisplayName, func(c *Contact) *string { return &c.DisplayName }},
	{pst.PidLidFileUnder, func(c *Contact) *string { return &c.FileAs }},
	{pst.PidTagInitials, func(c *Contact) *string { return &c.Initials }},
	{pst.PidLidYomiFirstName, func(c *Contact) *string { return &c.GivenPhonetic }},
	{pst.PidLidYomiLastName, func(c *Contact) *string { return &c.SurnamePhonetic }},
	{pst.PidLidYomiCompanyName, func(c *Contact) *string { return &c.CompanyPhonetic }},
	{pst.PidTagCompanyName, func(c *Contact) *string { return &c.Company }},
	{pst.PidTagDepartmentName, func(c *Contact) *string { return &c.Department }},
	{pst.PidTagTitle, func(c *Contact) *string { return &c.Title }},
	{pst.PidTagProfession, func(c *Contact) *string { return &c.Profession }},
	{pst.PidTagOfficeLocation, func(c *Contact) *string { return &c.Office }},
	{pst.PidTagManagerName, func(c *Contact) *string { return &c.Manager }},
	{pst.PidTagAssistant, func(c *Contact) *string { return &c.Assistant }},
	{pst.PidTagSpouseName, func(c *Contact) *string { return &c.Spouse }},
	{pst.PidTagReferredByName, func(c *Contact) *string { return &c.ReferredBy }},
	{pst.PidLidInstantMessagingAddress, func(c *Contact) *string { return &c.IM }},
	{pst.PidTagPersonalHomePage, func(c *Contact) *string { return &c.HomePage }},
	{pst.PidTagBusinessHomePage, func(c *Contact) *string { return &c.WorkPage }},
	{pst.PidTagFtpSite, func(c *Contact) *string { return &c.FTP }},
	{pst.PidLidFreeBusyLocation, func(c *Contact) *string { return &c.FreeBusy }},
	{pst.PidTagHobbies, func(c *Contact) *string { return &c.Hobbies }},
	{pst.PidTagAccount, func(c *Contact) *string { return &c.Account }},
	{pst.PidTagCustomerId, func(c *Contact) *string { return &c.CustomerID }},
	{pst.PidTagGovernmentIdNumber, func(c *Contact) *string { return &c.GovernmentID }},
	{pst.PidTagOrganizationalIdNumber, func(c *Contact) *string { return &c.OrganizationID }},
	{pst.PidLidBilling, func(c *Contact) *string { return &c.BillingInfo }},
	{pst.PidLidContactUserField1, func(c *Contact) *string { return &c.UserFields[0] }},
	{pst.PidLidContactUserField2, func(c *Contact) *string { return &c.UserFields[1] }},
	{pst.PidLidContactUserField3, func(c *Contact) *string { return &c.UserFields[2] }},
	{pst.PidLidContactUserField4, func(c *Contact) *string { return &c.UserFields[3] }},
	{pst.PidTagBody, func(c *Contact) *string { return &c.Notes }},
	{vCardUID, func(c *Contact) *string { return &c.UID }},
	{vCardLabels[0], func(c *Contact) *string { return &c.Emails[0].Label }},
	{vCardLabels[1], func(c *Contact) *string { return &c.Emails[1].Label }},
	{vCardLabels[2], func(c *Contact) *string { return &c.Emails[2].Label }},
}

// What Outlook has no property for lies in properties that vCard names. Outlook keeps
// them, and does not show them.
var (
	vCardUID    = vCardName("vCard-UID")
	vCardLabels = [3]pst.Named{vCardName("vCard-Email1-Label"), vCardName("vCard-Email2-Label"), vCardName("vCard-Email3-Label")}
)

func vCardName(name string) pst.Named {
	return pst.Named{Set: pst.PSPublicStrings, Name: name, Type: pst.String}
}

// addressKeys are the properties of the parts of an address, in the order of parts,
// and of the whole, [MS-OXOCNTC] 2.2.1.3.
type addressKeys struct {
	parts [7]pst.Key
	whole pst.Key
}

var (
	homeKeys = addressKeys{[7]pst.Key{pst.PidTagHomeAddressStreet, pst.PidTagHomeAddressCity, pst.PidTagHomeAddressStateOrProvince,
		pst.PidTagHomeAddressPostalCode, pst.PidTagHomeAddressCountry, pst.PidLidHomeAddressCountryCode, pst.PidTagHomeAddressPostOfficeBox},
		pst.PidLidHomeAddress}
	workKeys = addressKeys{[7]pst.Key{pst.PidLidWorkAddressStreet, pst.PidLidWorkAddressCity, pst.PidLidWorkAddressState,
		pst.PidLidWorkAddressPostalCode, pst.PidLidWorkAddressCountry, pst.PidLidWorkAddressCountryCode, pst.PidLidWorkAddressPostOfficeBox},
		pst.PidLidWorkAddress}
	otherKeys = addressKeys{[7]pst.Key{pst.PidTagOtherAddressStreet, pst.PidTagOtherAddressCity, pst.PidTagOtherAddressStateOrProvince,
		pst.PidTagOtherAddressPostalCode, pst.PidTagOtherAddressCountry, pst.PidLidOtherAddressCountryCode, pst.PidTagOtherAddressPostOfficeBox},
		pst.PidLidOtherAddress}
	mailingKeys = addressKeys{[7]pst.Key{pst.PidTagStreetAddress, pst.PidTagLocality, pst.PidTagStateOrProvince,
		pst.PidTagPostalCode, pst.PidTagCountry, pst.PidLidAddressCountryCode, pst.PidTagPostOfficeBox},
		pst.PidTagPostalAddress}
)

// parts are the parts of an address, in the order of addressKeys.
func (a *Address) parts() [7]*string {
	return [7]*string{&a.Street, &a.City, &a.State, &a.PostalCode, &a.Country, &a.Code, &a.Box}
}
