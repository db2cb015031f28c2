using FailoverHub.Web.Data;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Tests.History;

/// <summary>
/// The hash of an audit entry, computed by somebody else's SHA-256 over the bytes that <see cref="AuditChain"/> describes: whoever exported a
/// chain years ago can still check it.
/// </summary>
public sealed class AuditChainTests
{
    [Theory]
    [InlineData(null, "67fa2f140b050d909fd606b7c442533e59df73d07dc928a15fd65bb61947667d")]
    [InlineData(1_777_885_200_000L, "1af1f994c3736a95f8c537ac0503a02c7a3152d5dfb4470f0676ff00350271c5")]
    public void Hash_IsTheSameForEver_AndTheTimeOnTheNodeCountsOnlyWhereThereIsOne(long? happenedAt, string hash) => Assert.Equal(hash, AuditChain.HashOf(new AuditEntity
    {
        Id = 1,
        AtMs = 1_777_896_000_000,
        HappenedAtMs = happenedAt,
        Actor = "alice",
        RemoteAddress = "192.0.2.7",
        Action = "switchover",
        Target = "pair web",
        Reason = "kernel update",
        Outcome = "accepted",
        CorrelationId = "op",
        PreviousHash = AuditChain.Root,
        Hash = "",
    }));
}
