using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Tests.Platform;

public sealed class IntentStoreTests : IDisposable
{
    private static readonly NodeIntent _intent = new()
    {
        Revision = 7,
        Drained = true,
        Prefixes = [new PrefixIntent(IPNetwork.Parse("203.0.113.10/32"), Role.Secondary), new PrefixIntent(IPNetwork.Parse("2001:db8:e001:1b8c::/64"), Role.Primary) { FailbackPolicy = FailbackPolicy.AfterStable, StableFor = TimeSpan.FromSeconds(5), AtOnce = true }],
        LiftLocalDrain = true,
        OperationId = "op-1",
        Reason = "\"maintenance\", façade",
    };

    private readonly TemporaryDirectory _directory = new();

    private string IntentFile => _directory.At("intent.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Saved_IsLoadedByTheNextProcess()
    {
        Assert.Null(Store().TrySave(_intent, null));

        var (loaded, problem) = Store().Load();

        Assert.Null(problem);
        Assert.NotNull(loaded);
        Assert.Equal((_intent.Revision, _intent.OperationId, _intent.Reason), (loaded.Revision, loaded.OperationId, loaded.Reason));
        Assert.True(loaded.WantsTheSameAs(_intent));
    }

    [Fact]
    public void NothingSaved_ThereIsNoIntent_AndThatIsNoProblem()
    {
        Assert.Equal((null, null), Store().Load());
    }

    [Fact]
    public void Saved_LeavesNoTemporaryFile()
    {
        Store().TrySave(_intent, null);
        Store().TrySave(_intent with { Revision = 8 }, null);

        Assert.Equal([IntentFile], Directory.GetFiles(_directory.Root));
    }

    [Fact]
    public void CannotBeSaved_SaysWhy_AndTheOldOneIsStillThere()
    {
        Store().TrySave(_intent, null);

        // A directory where the temporary file would be: no user, not even root, can write a file over it.
        Directory.CreateDirectory(IntentFile + ".new");
        var problem = Store().TrySave(_intent with { Revision = 8 }, null);

        Assert.Contains("could not be kept", problem, StringComparison.Ordinal);
        Assert.Equal(7ul, Store().Load().Intent!.Revision);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"revision\":7,\"drai")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"revision\":0,\"drained\":false,\"prefixes\":[]}")]
    [InlineData("{\"revision\":7,\"drained\":false}")]
    [InlineData("{\"revision\":7,\"drained\":false,\"prefixes\":[{\"prefix\":\"203.0.113.0/24\",\"role\":\"primary\"}]}")]
    [InlineData("{\"revision\":7,\"drained\":false,\"prefixes\":[{\"prefix\":\"203.0.113.1/32\",\"role\":\"boss\"}]}")]
    [InlineData("{\"revision\":7,\"drained\":false,\"prefixes\":[{\"role\":\"primary\"}]}")]
    [InlineData("{\"revision\":7,\"drained\":false,\"prefixes\":[null]}")]
    [InlineData("{\"revision\":7,\"drained\":false,\"prefixes\":[{\"prefix\":\"203.0.113.1/32\",\"role\":\"primary\",\"failback\":\"later\"}]}")]
    [InlineData("{\"revision\":7,\"drained\":false,\"prefixes\":[{\"prefix\":\"203.0.113.1/32\",\"role\":\"primary\",\"stableSeconds\":1e300}]}")]
    public void Damaged_SaysSo_KeepsTheFile_AndTheNextStartSaysSoAgain(string content)
    {
        File.WriteAllText(IntentFile, content);

        var (intent, problem) = Store().Load();

        Assert.Null(intent);
        Assert.Contains("damaged", problem, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(IntentFile));
        Assert.Equal((null, problem), Store().Load());
        Assert.Null(Store().TrySave(_intent, null));
        Assert.Null(Store().Load().Problem);
    }

    [Fact]
    public void Unreadable_IsLost_AndNotAbsent()
    {
        Directory.CreateDirectory(IntentFile);

        var (intent, problem) = Store().Load();

        Assert.Null(intent);
        Assert.Contains("at most as secondary", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void NoDirectory_IsNoIntent() =>
        Assert.Equal((null, null), new IntentStore(_directory.At("no/such/intent.json"), _ => { }).Load());

    private IntentStore Store() => new(IntentFile, _ => { });
}
