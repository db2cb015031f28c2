using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Tests.Identity;

public sealed class IdentityStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly IdentityStore _store;

    public IdentityStoreTests() => _store = new IdentityStore(_directory.Root);

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Nothing_IsNoIdentityAndNoProblem() => Assert.Equal((null, null), _store.Load());

    [Fact]
    public void Kept_IsReadAgain_AndNobodyElseMayReadTheFile()
    {
        var identity = Identity();

        Assert.Null(_store.Save(identity));

        var (loaded, problem) = _store.Load();
        Assert.Null(problem);
        Assert.Equal((identity.Hub, identity.Node, identity.NodeId, identity.Fingerprint, identity.Times), (loaded!.Hub, loaded.Node, loaded.NodeId, loaded.Fingerprint, loaded.Times));
        Assert.Equal(identity.Trust, loaded.Trust);
        using var usable = NodeKey.Load(loaded.Certificate, loaded.Key);
        Assert.True(usable.HasPrivateKey);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_store.Path));
        Assert.Equal([IdentityStore.FileName], Directory.GetFiles(_directory.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void WhatAKilledWriterLeft_IsReplaced_WithTheRightMode()
    {
        File.WriteAllText(_store.Path + ".new", "half");
        File.SetUnixFileMode(_store.Path + ".new", UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Null(_store.Save(Identity()));

        Assert.NotNull(_store.Load().Identity);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_store.Path));
    }

    /// <summary>As 'join' by root in the directory of the service's user asks before it spends the token.</summary>
    [Fact]
    public void LinkIsPlanted_WhereItIsTriedWhetherItCanBeKept_WhatItLeadsToIsNotTouched()
    {
        var victim = _directory.At("victim");
        File.WriteAllText(victim, "somebody else's");
        File.CreateSymbolicLink(_store.Path + ".probe", victim);
        File.CreateSymbolicLink(_store.Path + ".new", victim);

        Assert.Null(_store.Refuse());
        Assert.Null(_store.Save(Identity()));

        Assert.Equal("somebody else's", File.ReadAllText(victim));
        Assert.NotNull(_store.Load().Identity);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void OpenToOthers_IsRefused_WithWhatToDo(UnixFileMode more)
    {
        Assert.Null(_store.Save(Identity()));
        File.SetUnixFileMode(_store.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | more);

        var (identity, problem) = _store.Load();

        Assert.Null(identity);
        Assert.Contains($"chmod 600 '{_store.Path}'", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1,2]")]
    public void Damaged_IsSaid_WithWhatToDo(string content)
    {
        File.WriteAllText(_store.Path, content);
        File.SetUnixFileMode(_store.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var (identity, problem) = _store.Load();

        Assert.Null(identity);
        Assert.Contains("join again", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFieldLeftOut_IsDamageAndNoException()
    {
        Assert.Null(_store.Save(Identity()));
        var whole = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(_store.Path))!.AsObject();
        foreach (var name in whole.Select(field => field.Key).ToList())
        {
            var without = whole.DeepClone().AsObject();
            without.Remove(name);
            File.WriteAllText(_store.Path, without.ToJsonString());

            Assert.NotNull(_store.Load().Problem);
        }
    }

    [Fact]
    public void WhereNothingCanBeWritten_ItIsSaidBeforeAnythingIsDone()
    {
        File.WriteAllText(_directory.At("file"), "");
        var store = new IdentityStore(_directory.At("file/state"));

        Assert.Contains("--state DIR", store.Refuse(), StringComparison.Ordinal);
        Assert.NotNull(store.Save(Identity()));
        Assert.Null(_store.Refuse());
        Assert.Equal(["file"], Directory.GetFileSystemEntries(_directory.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void TheOperatorsAuthorities_AreKeptWithIt()
    {
        var identity = Identity() with { Trust = new HubTrust.Given([_authority.Der]) };

        Assert.Null(_store.Save(identity));

        Assert.Equal(identity.Trust, _store.Load().Identity!.Trust);
    }

    private HubIdentity Identity() => _authority.Identity(new Uri("https://hub.example:5443"), TimeSpan.FromDays(1), TimeSpan.FromDays(30));
}
