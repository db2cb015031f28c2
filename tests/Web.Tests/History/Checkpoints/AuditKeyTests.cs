using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.Tests.Agents;

namespace FailoverHub.Web.Tests.History.Checkpoints;

public sealed class AuditKeyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string KeyFile => Path.Combine(_folder.Path, AuditKey.FileName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Key_MadeOnTheFirstStart_IsTheSameAfterwardsAndItsOwnersOnly()
    {
        using AuditKey first = AuditKey.LoadOrCreate(_folder.Path);
        using AuditKey second = AuditKey.LoadOrCreate(_folder.Path);

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal([KeyFile], Directory.GetFiles(_folder.Path));
        Assert.Equal(first.Id, AuditKey.IdOfPublicPem(first.PublicPem));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEv2GhYrrOccqNoIqVJlZV2BTzNvoDn2ZFB36RPXBnQz4CQsNtDqZGAFxIyf41CQIbJ1lLSDc+FiKMqwQFL+M2Xw==\n-----END PUBLIC KEY-----\n")]
    public void Key_Damaged_IsNamedWithWhatToDo_AndIsNotReplaced(string content)
    {
        File.WriteAllText(KeyFile, content);

        var refused = Assert.Throws<DataFolderException>(() => AuditKey.LoadOrCreate(_folder.Path));

        Assert.Contains(KeyFile, refused.Message, StringComparison.Ordinal);
        Assert.Contains("from a backup", refused.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(KeyFile));
    }

    /// <summary>Key and signature are OpenSSL's: `openssl dgst -sha256 -sign` over the five lines.</summary>
    [Fact]
    public void Signature_MadeByAnotherProgram_IsGood()
    {
        var checkpoint = new AuditCheckpoint
        {
            Id = 1,
            At = DateTimeOffset.FromUnixTimeMilliseconds(1_777_896_000_000),
            EntryId = 42,
            EntryHash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            KeyId = "dd8a87968597a6d3c2e78e51a06375fd401bea0f0841d3400564c2579052469b",
            PublicKey = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEv2GhYrrOccqNoIqVJlZV2BTzNvoDn2ZFB36RPXBnQz4CQsNtDqZGAFxIyf41CQIbJ1lLSDc+FiKMqwQFL+M2Xw==",
            Signature = "MEUCIQDzX6VtIJIzBShfQf4HyqPdsqGk0PSX0P0BB15sO7xwlQIgUn7oztHKJCYbMe8NXsE1IaCu2SGENv3Xk1+0U0geRZ8=",
        };

        Assert.True(CheckpointSignature.IsGood(checkpoint));
        Assert.False(CheckpointSignature.IsGood(checkpoint with { EntryId = 43 }));
        Assert.False(CheckpointSignature.IsGood(checkpoint with { KeyId = new string('0', 64) }));
        Assert.False(CheckpointSignature.IsGood(checkpoint with { Signature = "not base64" }));
        Assert.False(CheckpointSignature.IsGood(checkpoint with { PublicKey = "AAAA" }));
    }
}
