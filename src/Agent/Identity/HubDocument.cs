using System.Globalization;
using System.Text;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Identity;

/// <summary>How the node stands with its hub, in a status.</summary>
internal sealed record HubDocument
{
    public required string Hub { get; init; }

    public required bool Connected { get; init; }

    /// <summary>Why the last stream ended or none began; null: nothing went wrong yet.</summary>
    public string? LastError { get; init; }

    public DateTimeOffset? LastErrorAt { get; init; }

    public double? LastErrorAgeSeconds { get; init; }

    /// <summary>As whom; null: this node has not joined, or the hub is one without certificates.</summary>
    public HubIdentityDocument? Identity { get; init; }

    /// <summary>On which hosts the other nodes of the pair are, as the hub said when it welcomed this one; null: it did not.</summary>
    public IReadOnlyList<PeerHostDocument>? Peers { get; init; }

    /// <summary>Null: stand-alone.</summary>
    public static HubDocument? Of(HubReading? reading, DateTimeOffset now) => reading is null ? null : new HubDocument
    {
        Hub = reading.Hub.ToString(),
        Connected = reading.IsConnected,
        LastError = reading.LastError,
        LastErrorAt = reading.LastErrorAt,
        LastErrorAgeSeconds = reading.LastErrorAt is { } at ? Math.Round((now - at).TotalSeconds, 3) : null,
        Identity = reading.Membership is { } membership ? HubIdentityDocument.Of(membership, reading.Hub, now) : null,
        Peers = reading.Peers.IsEmpty ? null : [.. reading.Peers.Select(peer => new PeerHostDocument { Node = peer.Node, Host = peer.Host })],
    };

    /// <summary>The rows of a status for people.</summary>
    public void Write(StringBuilder text)
    {
        if (!Connected)
        {
            StatusText.Row(text, "HUB", $"NOT CONNECTED{(LastError is null ? "" : $": {LastError} ({Words.Lasted(TimeSpan.FromSeconds(Math.Max(0, LastErrorAgeSeconds ?? 0)))} ago)")}; what is announced stays");
        }

        if (Identity is not { } identity)
        {
            return;
        }

        StatusText.Row(text, "known there as", $"{identity.Node} (id {identity.NodeId})");
        StatusText.Row(text, "certificate", string.Create(CultureInfo.InvariantCulture, $"{identity.Condition}, {Left(identity.DaysLeft)}, until {CertificateTimes.Text(identity.NotAfter)}; renewed after {CertificateTimes.Text(identity.RenewAfter)}"));
        if (identity.Refusal is { } refusal)
        {
            StatusText.Row(text, "CERTIFICATE", $"the hub does NOT TAKE it: {refusal}");
        }

        if (identity.RenewalProblem is { } problem)
        {
            StatusText.Row(text, "NOT RENEWED", problem);
        }

        if (identity.Advice is { } advice)
        {
            StatusText.Row(text, "what to do", advice);
        }
    }

    private static string Left(double days) => days >= 0
        ? string.Create(CultureInfo.InvariantCulture, $"{days:0.#} days left")
        : $"over for {Words.Lasted(TimeSpan.FromDays(-days))}";
}

/// <summary>Another node of the pair, in a status.</summary>
internal sealed record PeerHostDocument
{
    public required string Node { get; init; }

    /// <summary>Id of the physical host that it runs on.</summary>
    public required string Host { get; init; }
}

/// <summary>The certificate of a node, in a status. Never its key.</summary>
internal sealed record HubIdentityDocument
{
    /// <summary>As the hub calls this node.</summary>
    public required string Node { get; init; }

    public required string NodeId { get; init; }

    /// <summary><c>good</c>, <c>renewal-due</c>, <c>expired</c>, <c>not-yet-valid</c> or <c>refused</c>.</summary>
    public required string Condition { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    public required DateTimeOffset RenewAfter { get; init; }

    /// <summary>Below 0: it has ended.</summary>
    public required double DaysLeft { get; init; }

    /// <summary>SHA-256 of the certificate.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>What the hub says of it; null: it takes it, or has not been asked.</summary>
    public string? Refusal { get; init; }

    /// <summary>Why the last renewal failed; null: it did not.</summary>
    public string? RenewalProblem { get; init; }

    /// <summary>What to do, null: nothing.</summary>
    public string? Advice { get; init; }

    public static HubIdentityDocument Of(MembershipReading reading, Uri hub, DateTimeOffset now) => new()
    {
        Node = reading.Identity.Node,
        NodeId = reading.Identity.NodeId,
        Condition = IdentityWords.Condition(reading, now),
        NotAfter = reading.Identity.Times.NotAfter,
        RenewAfter = reading.Identity.Times.RenewAfter,
        DaysLeft = Math.Round((reading.Identity.Times.NotAfter - now).TotalDays, 3),
        Fingerprint = reading.Identity.Fingerprint,
        Refusal = reading.Refusal,
        RenewalProblem = reading.RenewalProblem,
        Advice = IdentityWords.Advice(reading, hub, now),
    };
}
