namespace FailoverHub.Bgp.Messages;

/// <summary>The ORIGIN attribute (RFC 4271 4.3 a). Lower is preferred by the decision process.</summary>
public enum Origin : byte
{
    /// <summary>Interior to the originating AS.</summary>
    Igp = 0,

    /// <summary>Learned via EGP.</summary>
    Egp = 1,

    /// <summary>Learned by some other means.</summary>
    Incomplete = 2,
}
