using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity.Past;

namespace FailoverHub.Web.Components.Pages.Nodes;

/// <summary>What an operator does to a node's place in the hub's table.</summary>
public enum NodeChangeKind
{
    /// <summary>Make its certificates worthless.</summary>
    Revoke,

    /// <summary>Give it another name.</summary>
    Rename,

    /// <summary>Forget it.</summary>
    Remove,
}

/// <summary>Certificates in words. Pure.</summary>
internal static class CertificateWords
{
    /// <summary>Renewal is due when a third of its life is left; so small a part says that it does not work.</summary>
    private const double FewLeft = 7.0 / 30;

    public static StatusWord Of(NodeIdentityView identity, DateTimeOffset now) =>
        identity.RevokedAt is not null ? new(StatusTone.Off, "Revoked")
        : now >= identity.NotAfter ? new(StatusTone.Critical, "Expired")
        : EndsSoon(identity, now) ? new(StatusTone.Warning, "Not renewed")
        : new(StatusTone.Good, "Valid");

    public static string Days(NodeIdentityView identity, DateTimeOffset now) => identity.DaysLeft(now) switch
    {
        < 0 => "expired",
        0 => (int)(identity.NotAfter - now).TotalHours switch
        {
            0 => "less than an hour left",
            1 => "1 hour left",
            var hours => $"{hours} hours left",
        },
        1 => "1 day left",
        var days => $"{days} days left",
    };

    /// <summary>What somebody has to do about the node's identity, one sentence; null: nothing.</summary>
    public static string? Concern(NodeView node, DateTimeOffset now) => node switch
    {
        { CloneSign: { } sign } => sign,
        { Identity: { RevokedAt: null } identity } when now >= identity.NotAfter =>
            $"The certificate of {node.Name} has expired: it cannot connect until it has joined again. It announces all the while.",
        { Identity: { RevokedAt: null } identity } when EndsSoon(identity, now) =>
            $"The certificate of {node.Name} ends soon ({Days(identity, now)}) and was not renewed: its agent asks for the next one when a third of its life is left, if it is connected.",
        _ => null,
    };

    /// <summary>What became of a certificate that was issued once, or is in use.</summary>
    public static string Fate(IssuedBefore certificate, string current, DateTimeOffset now) =>
        certificate.RevokedAt is not null ? "revoked"
        : now >= certificate.NotAfter ? "expired"
        : certificate.Serial == current ? "in use"
        : "replaced";

    private static bool EndsSoon(NodeIdentityView identity, DateTimeOffset now) => identity.NotAfter - now < (identity.NotAfter - identity.IssuedAt) * FewLeft;
}
