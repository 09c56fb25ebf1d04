// Package purview has Microsoft Purview eDiscovery make a PST of a mailbox and downloads
// it: the only PST that Microsoft itself makes.
//
// A case is made for each export, a search in it whose only source is the mailbox, an
// estimate of the search, which an export needs, and the export. What was begun is saved
// before anything goes on, and found again by its name where a call's answer was lost:
// nothing is begun twice.
//
// It needs a licence of Purview (application permissions: E5 or eDiscovery Premium), the
// application permission eDiscovery.ReadWrite.All, a place in the role group eDiscovery
// Administrator, and for the download a token for another resource, the first-party
// application MicrosoftPurviewEDiscovery, with the application role
// eDiscovery.Download.Read.
//
// Sources: learn.microsoft.com/graph/api/security-ediscoverysearch-exportresult,
// …/security-ediscoverysearch-estimatestatistics, …/resources/security-caseoperation,
// …/security-ediscovery-appauthsetup. The download is not described there; it is as
// several people have reported it.
package purview
