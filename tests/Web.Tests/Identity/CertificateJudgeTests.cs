using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>What a certificate of this hub's authority that is not in its table is said to be.</summary>
public sealed class CertificateJudgeTests
{
    private static readonly DateTimeOffset Issued = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private static readonly RegisteredNode Node = new()
    {
        NodeId = "n1",
        Name = "web-1",
        JoinedAt = Issued,
        Certificates = [new RegisteredCertificate("0a", Issued, Issued.AddDays(30), IsRenewal: false, IsRevoked: false)],
        Renewals = 0,
    };

    [Theory]
    [InlineData(20, "is newer than any that this hub knows of: the hub was restored from a backup")]
    [InlineData(-20, "the machine is a copy of the node, or was put back from an old snapshot")]
    public void CertificateThatTheTableDoesNotHave_IsOfTheTimeAfterTheBackup_OrOld(double days, string what)
    {
        var presented = new PresentedCertificate(CertificateStanding.Ours, "n1", "0b", Issued.AddDays(days), Issued.AddDays(days + 30));

        var refused = Assert.IsType<CertificateVerdict.Refused>(CertificateJudge.Judge(presented, _ => Node, days > 0 ? Issued.AddDays(days + 1) : Issued.AddDays(1)));

        Assert.Equal(Node, refused.Node);
        Assert.Contains(what, refused.Why, StringComparison.Ordinal);
        Assert.Contains("--for-existing", refused.Why, StringComparison.Ordinal);
    }
}
