namespace FailoverHub.Web.Identity;

/// <summary>
/// The one word that an operator copies to a node: <c>fhj_SECRET.FINGERPRINT</c>, or <c>fhj_SECRET</c> where the agents' endpoint has a
/// certificate that agents trust by themselves. Both parts are 43 characters of base64url (docs/adr/0014).
/// </summary>
/// <param name="Secret">What the hub knows by its hash, with its prefix.</param>
/// <param name="Fingerprint">SHA-256 of the hub's authority (DER); null: the agent trusts the endpoint by other means.</param>
internal sealed record JoinToken(string Secret, string? Fingerprint)
{
    private const string Prefix = "fhj_";
    private const int PartLength = 43;

    public static JoinToken New(string? fingerprint) => new(Prefix + Access.Secret.New(), fingerprint);

    /// <summary>What is stored and looked up.</summary>
    public string Hash => Access.Secret.Hash(Secret);

    public override string ToString() => Fingerprint is null ? Secret : $"{Secret}.{Fingerprint}";

    /// <summary>Null: that is no join token. A fingerprint behind the dot is left to the agent, which has compared it.</summary>
    public static JoinToken? Parse(string text)
    {
        var parts = text.Split('.');
        return parts.Length is 1 or 2
            && parts[0].StartsWith(Prefix, StringComparison.Ordinal)
            && IsPart(parts[0][Prefix.Length..])
            && (parts.Length == 1 || IsPart(parts[1]))
            ? new JoinToken(parts[0], parts.Length == 2 ? parts[1] : null)
            : null;
    }

    private static bool IsPart(string text) => text.Length == PartLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
