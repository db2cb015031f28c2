using System.Globalization;

namespace FailoverHub.Web.Identity;

/// <summary>What TLS found out about a client's certificate, once per connection.</summary>
internal enum CertificateStanding
{
    /// <summary>The client showed none.</summary>
    None,

    /// <summary>Another authority issued it, or it is not intact.</summary>
    Foreign,

    /// <summary>Ours, but not for clients, or it names no node.</summary>
    Unsuitable,

    /// <summary>This hub's authority issued it for a node. When it ends, and whether it was revoked, is asked with each call.</summary>
    Ours,
}

/// <summary>The certificate that a connection was opened with.</summary>
/// <param name="Standing">What it is.</param>
/// <param name="NodeId">Whose; empty when it is not ours.</param>
/// <param name="Serial">Lower-case hex; empty when there is none.</param>
/// <param name="NotBefore">Beginning of its life.</param>
/// <param name="NotAfter">End of its life.</param>
internal sealed record PresentedCertificate(CertificateStanding Standing, string NodeId, string Serial, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    public static PresentedCertificate None { get; } = new(CertificateStanding.None, "", "", default, default);
}

/// <summary>What a certificate is worth now. A closed family.</summary>
internal abstract record CertificateVerdict
{
    private CertificateVerdict()
    {
    }

    /// <summary>It is this node, as it is called now.</summary>
    public sealed record Known(RegisteredNode Node, string Serial, DateTimeOffset NotAfter) : CertificateVerdict;

    /// <summary>It opens nothing.</summary>
    /// <param name="Node">Whose it was, by the table; null: nobody's.</param>
    /// <param name="Why">What is wrong and what to do, for whoever reads the agent's log.</param>
    public sealed record Refused(RegisteredNode? Node, string Why) : CertificateVerdict;
}

/// <summary>Pure: (certificate, table of nodes, now) to who it is, or why not and what to do.</summary>
internal static class CertificateJudge
{
    private const string JoinAnew = "On the node: `failoverhub-agent join` with a new token";

    public static CertificateVerdict Judge(PresentedCertificate presented, Func<string, RegisteredNode?> find, DateTimeOffset now)
    {
        switch (presented.Standing)
        {
            case CertificateStanding.None:
                return No(null, $"The agent showed no client certificate, so the hub does not know which node it is. {JoinAnew} from the page 'Add a node' or from `failoverhub join-token create` on the hub.");
            case CertificateStanding.Foreign:
                return No(null, $"The client certificate was not issued by this hub's authority. Is it another hub, or has this one lost its data folder? {JoinAnew} of this hub.");
            case CertificateStanding.Unsuitable:
                return No(null, $"The client certificate is not one that this hub makes for nodes. {JoinAnew} of this hub.");
        }

        if (find(presented.NodeId) is not { } node)
        {
            return No(null, $"The client certificate is of this hub's authority, but its node is not in the hub's table; the hub was perhaps restored from an older backup. {JoinAnew} of this hub.");
        }

        if (node.RemovedAt is { } removed)
        {
            return No(node, $"The node '{node.Name}' was removed from the hub on {Day(removed)}. What it announces does not depend on that. To bring it back: {JoinAnew}.");
        }

        if (node.RevokedAt is { } revoked)
        {
            return No(node, $"The certificate of '{node.Name}' was revoked on {Day(revoked)}: {node.RevokedReason} What it announces does not depend on that. To let it in again: {ForExisting(node)}");
        }

        if (now >= presented.NotAfter)
        {
            return No(node, $"The certificate of '{node.Name}' expired on {Day(presented.NotAfter)}. What it announces does not depend on that. {ForExisting(node)}");
        }

        if (now < presented.NotBefore)
        {
            return No(node, $"The certificate of '{node.Name}' is valid from {Day(presented.NotBefore)} on only. Is the clock of the hub's machine right? It says {Day(now)}.");
        }

        if (node.Certificates.Any(c => c.Serial == presented.Serial && !c.IsRevoked))
        {
            return new CertificateVerdict.Known(node, presented.Serial, presented.NotAfter);
        }

        // This hub's authority has issued it, and this hub's table has never had it: what it was issued by knew more.
        return presented.NotBefore > node.Certificates.Max(c => c.IssuedAt)
            ? No(node, $"This certificate of '{node.Name}' ({Day(presented.NotBefore)}) is newer than any that this hub knows of: the hub was restored from a backup that was made before it was issued, or another hub has the same authority. What the node announces does not depend on that. {ForExisting(node)}")
            : No(node, $"'{node.Name}' has got newer certificates since this one, and this one is not taken any more: the machine is a copy of the node, or was put back from an old snapshot. If it is the node: {ForExisting(node)}");
    }

    private static string ForExisting(RegisteredNode node) =>
        $"{JoinAnew} made for this node, on the hub: `failoverhub join-token create --node {node.Name} --for-existing`, or with the button on the node's page.";

    private static CertificateVerdict.Refused No(RegisteredNode? node, string why) => new(node, why);

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
