namespace FailoverHub.Bgp.Session;

/// <summary>Why a session failed, for the operator.</summary>
/// <param name="Text">In words, with the shutdown text of the other side when it sent one.</param>
/// <param name="FromPeer">The neighbor said so (NOTIFICATION, end of stream); else we did.</param>
/// <param name="Code">NOTIFICATION error code (RFC 4271 4.5), 0: no NOTIFICATION.</param>
/// <param name="Subcode">NOTIFICATION error subcode.</param>
public sealed record SessionError(string Text, bool FromPeer, byte Code, byte Subcode)
{
    /// <summary>What an operator can do about it, in words; null: nothing is known that the text does not say.</summary>
    public string? Advice { get; init; }
}
