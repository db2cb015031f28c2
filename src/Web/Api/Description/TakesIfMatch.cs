namespace FailoverHub.Web.Api.Description;

/// <summary>Metadata of a call that takes If-Match and answers 412; operations of a pair are known by their path.</summary>
internal sealed class TakesIfMatch;
