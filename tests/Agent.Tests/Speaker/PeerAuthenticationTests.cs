using FailoverHub.Agent.Speaker;

namespace FailoverHub.Agent.Tests.Speaker;

/// <summary>Whether two keys are the same one: a reload ends the sessions of a key that is another.</summary>
public sealed class PeerAuthenticationTests
{
    [Fact]
    public void SameKindKeyAndNumbers_AreEqual()
    {
        Equal(true, new TcpMd5("s3cret"u8), new TcpMd5("s3cret"u8));
        Equal(true, new TcpAo("s3cret"u8, 1, 2, TcpAoAlgorithm.HmacSha1), new TcpAo("s3cret"u8, 1, 2, TcpAoAlgorithm.HmacSha1));
    }

    [Fact]
    public void AnythingElse_IsAnother()
    {
        Equal(false, new TcpMd5("s3cret"u8), new TcpMd5("s3cres"u8));
        Equal(false, new TcpMd5("s3cret"u8), new TcpMd5("s3cret1"u8));
        Equal(false, new TcpMd5("s3cret"u8), new TcpAo("s3cret"u8, 0, 0, TcpAoAlgorithm.HmacSha1));
        Equal(false, new TcpAo("s3cret"u8, 1, 2, TcpAoAlgorithm.HmacSha1), new TcpAo("s3cret"u8, 2, 2, TcpAoAlgorithm.HmacSha1));
        Equal(false, new TcpAo("s3cret"u8, 1, 2, TcpAoAlgorithm.HmacSha1), new TcpAo("s3cret"u8, 1, 1, TcpAoAlgorithm.HmacSha1));
        Equal(false, new TcpAo("s3cret"u8, 1, 2, TcpAoAlgorithm.HmacSha1), new TcpAo("s3cret"u8, 1, 2, TcpAoAlgorithm.AesCmac128));
    }

    private static void Equal(bool same, PeerAuthentication left, PeerAuthentication right)
    {
        using (left)
        using (right)
        {
            Assert.Equal(same, left.Equals(right));
            Assert.Equal(same, right.Equals(left));
            Assert.True(!same || left.GetHashCode() == right.GetHashCode());
        }
    }
}
