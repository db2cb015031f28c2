namespace FailoverHub.Web.Identity;

/// <summary>Keys or certificates of the hub cannot be used; the message says why and what to do, in words for whoever started the hub.</summary>
internal sealed class IdentityException(string message, Exception? inner = null) : Exception(message, inner);
