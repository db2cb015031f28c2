namespace FailoverHub.Architecture.Tests;

/// <summary>Every rule catches what it is for, and lets pass what only looks like it.</summary>
public sealed class RulesCanFailTests
{
    private const string Empty = "<Project Sdk=\"Microsoft.NET.Sdk\"/>";

    [Theory]
    [InlineData("src/Web/Web.csproj", "../Bgp/Bgp.csproj", "Web must not reference Bgp")]
    [InlineData("src/Web/Web.csproj", "..\\Agent\\Agent.csproj", "Web must not reference Agent")]
    [InlineData("src/Bgp/Bgp.csproj", "../Protos/Protos.csproj", "Bgp must not reference Protos; it may reference nothing")]
    [InlineData("src/Lab/Lab.csproj", "../Protos/Protos.csproj", "Lab must not reference Protos; it may reference Bgp")]
    [InlineData("src/Fleet/Fleet.csproj", "../Bgp/Bgp.csproj", "a new product project")]
    public void Arrow_AgainstTheDesign_IsNamed(string project, string reference, string complaint)
    {
        var tree = SourceTree.Of((project, $"<Project><ItemGroup><ProjectReference Include=\"{reference}\"/></ItemGroup></Project>"));

        Assert.Contains(complaint, Assert.Single(ProjectRules.Arrow(tree)), StringComparison.Ordinal);
    }

    [Fact]
    public void Arrow_AsDesigned_IsKept()
    {
        var tree = SourceTree.Of(("src/Agent/Agent.csproj", "<Project><ItemGroup><ProjectReference Include=\"../Bgp/Bgp.csproj\"/><ProjectReference Include=\"../Protos/Protos.csproj\"/></ItemGroup></Project>"));

        Assert.Empty(ProjectRules.Arrow(tree));
    }

    [Theory]
    [InlineData("failoverhub", "FailoverHub.Bgp")]
    [InlineData("failoverhub", "failoverhub-agent")]
    [InlineData("failoverhub-lab", "FailoverHub.Protos")]
    [InlineData("failoverhub", "System.Net.Ping")]
    [InlineData("failoverhub-agent", "System.Net.Ping")]
    [InlineData("FailoverHub.Bgp", "System.Net.Ping")]
    [InlineData("FailoverHub.Bgp", "System.Net.Sockets")]
    [InlineData("FailoverHub.Bgp", "Microsoft.Extensions.Logging.Abstractions")]
    public void CompiledArrow_AgainstTheDesign_IsNamed(string assembly, string reference) =>
        Assert.Contains(reference, Assert.Single(ProjectRules.CompiledArrow(assembly, ["System.Runtime", reference])), StringComparison.Ordinal);

    [Fact]
    public void CompiledReferences_OfABuiltAssembly_AreRead()
    {
        var references = CompiledReferences.Of(typeof(RulesCanFailTests).Assembly.Location);

        Assert.Contains("xunit.v3.assert", references);
        Assert.Contains("System.Runtime", references);
    }

    [Theory]
    [InlineData("src/Web/Common/Text.cs")]
    [InlineData("src/Web/Fleet/Helpers/Text.cs")]
    [InlineData("src/Agent/SharedKernel/Text.cs")]
    [InlineData("tests/Web.Tests/Utils/Text.cs")]
    public void Drawer_AsFolder_IsNamed(string path) =>
        Assert.Contains("folder of leftovers", Assert.Single(ProjectRules.NoDrawer(SourceTree.Of((path, "")))), StringComparison.Ordinal);

    [Fact]
    public void Drawer_AsProject_IsNamed() =>
        Assert.Contains("project of leftovers", Assert.Single(ProjectRules.NoDrawer(SourceTree.Of(("src/Everything/FailoverHub.Core.csproj", Empty)))), StringComparison.Ordinal);

    [Fact]
    public void Drawer_OfTheDashboard_IsAllowed() =>
        Assert.Empty(ProjectRules.NoDrawer(SourceTree.Of(("src/Web/Components/Shared/Age.razor", ""), ("src/Agent/Node/Prefixes/SharedPrefix.cs", ""))));

    [Fact]
    public void Solution_WithoutAProjectOrWithOneTooMany_IsNamed()
    {
        var tree = SourceTree.Of(
            ("FailoverHub.sln", "Project(\"{FAE0}\") = \"Bgp\", \"src\\Bgp\\Bgp.csproj\", \"{1}\"\nProject(\"{FAE0}\") = \"Gone\", \"src\\Gone\\Gone.csproj\", \"{2}\"\n"),
            ("src/Bgp/Bgp.csproj", Empty),
            ("tests/Bgp.Tests/Bgp.Tests.csproj", Empty));

        Assert.Collection(
            ProjectRules.SolutionIsComplete(tree),
            missing => Assert.StartsWith("tests/Bgp.Tests/Bgp.Tests.csproj is not in the solution", missing, StringComparison.Ordinal),
            gone => Assert.Contains("src/Gone/Gone.csproj, which is not there", gone, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("<PackageReference Include=\"Known\" Version=\"1.0.0\"/>", "has a version of its own")]
    [InlineData("<PackageReference Include=\"Known\"><VersionOverride>1.0.0</VersionOverride></PackageReference>", "has a version of its own")]
    [InlineData("<PackageReference Include=\"Unknown\"/>", "has no version")]
    public void PackageVersion_NotCentral_IsNamed(string reference, string complaint)
    {
        var tree = SourceTree.Of(
            ("Directory.Packages.props", "<Project><ItemGroup><PackageVersion Include=\"Known\" Version=\"1.2.3\"/></ItemGroup></Project>"),
            ("src/Web/Web.csproj", $"<Project><ItemGroup>{reference}</ItemGroup></Project>"));

        Assert.Contains(complaint, Assert.Single(ProjectRules.VersionsAreCentral(tree)), StringComparison.Ordinal);
    }

    [Fact]
    public void PackageVersion_Floating_IsNamed()
    {
        var tree = SourceTree.Of(("Directory.Packages.props", "<Project><ItemGroup><PackageVersion Include=\"Known\" Version=\"1.*\"/></ItemGroup></Project>"));

        Assert.Contains("pin one exact version", Assert.Single(ProjectRules.VersionsAreCentral(tree)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("src/Web/Fleet/FleetStore.cs", "using FailoverHub.Protos.V1;", true)]
    [InlineData("src/Web/Components/Pages/Nodes/Node.razor", "@using FailoverHub.Protos.V1", true)]
    [InlineData("src/Agent/Agent.csproj", "<Project><ItemGroup><Using Include=\"FailoverHub.Protos.V1\"/></ItemGroup></Project>", true)]
    [InlineData("src/Web/Agents/AgentMapping.cs", "using FailoverHub.Protos.V1;", false)]
    [InlineData("src/Agent/Hub/HubMapping.cs", "using FailoverHub.Protos.V1;", false)]
    [InlineData("src/Web/Fleet/FleetStore.cs", "// Unlike FailoverHub.Protos, this …", false)]
    public void ProtoType_OutsideOfTheEdge_IsNamed(string path, string text, bool caught) => Catches(SourceRules.ProtoTypesStayAtTheEdge, path, text, caught);

    [Theory]
    [InlineData("src/Web/Operations/OperationRules.cs", "using Microsoft.EntityFrameworkCore;", true)]
    [InlineData("src/Web/Api/PairsEndpoints.cs", "IDbContextFactory<HubDbContext> contexts", true)]
    [InlineData("src/Web/Api/NodesEndpoints.cs", "HubDbContext database", true)]
    [InlineData("src/Web/Data/HubWriter.cs", "using Microsoft.EntityFrameworkCore;", false)]
    [InlineData("src/Web/History/AuditLog.cs", "using Microsoft.EntityFrameworkCore;", false)]
    public void EntityFramework_OutsideOfTheStores_IsNamed(string path, string text, bool caught) => Catches(SourceRules.DatabaseStaysInItsStores, path, text, caught);

    [Fact]
    public void EntityFramework_AllowedForNothing_IsNamed()
    {
        var violations = SourceRules.StoresAreStores(SourceTree.Of(("src/Web/History/AuditLog.cs", "using Microsoft.EntityFrameworkCore;"), ("src/Web/Access/Tokens/ApiTokens.cs", "using System.Text;"))).ToList();

        Assert.DoesNotContain(violations, v => v.StartsWith("src/Web/History/AuditLog.cs", StringComparison.Ordinal));
        Assert.Contains(violations, v => v.StartsWith("src/Web/Access/Tokens/ApiTokens.cs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("src/Web/Fleet/FleetStore.cs", "using System.Net.Sockets;\nvar s = new Socket(f, t, p);", true)]
    [InlineData("src/Agent/Node/NodeLoop.cs", "var c = new System.Net.Sockets.TcpClient();", true)]
    [InlineData("src/Bgp/Session/BgpSession.cs", "using System.Net.Sockets;\nreturn a == AddressFamily.InterNetwork;", false)]
    [InlineData("src/Agent/Node/NodeLoop.cs", "record Socket(int Number);", false)]
    [InlineData("src/Agent/Speaker/Sockets/PeerSocket.cs", "using System.Net.Sockets;\nvar s = new Socket(f, t, p);", false)]
    public void Socket_OutsideOfItsRooms_IsNamed(string path, string text, bool caught) => Catches(SourceRules.SocketsStayInTheirRooms, path, text, caught);

    [Theory]
    [InlineData("using var ping = new Ping();", true)]
    [InlineData("var ping = new System.Net.NetworkInformation.Ping();", true)]
    [InlineData("PingReply reply = await p.SendPingAsync(address);", true)]
    [InlineData("Process.Start(\"ping\", address);", true)]
    [InlineData("new ProcessStartInfo(\"/usr/bin/ping6\")", true)]
    [InlineData("ChildProcess.Run(\"/bin/sh\", \"-c\", $\"ping -c 1 {address}\")", true)]
    [InlineData("Run(@\"sh -c 'ping {address}'\")", true)]
    [InlineData("Run(\"true && fping 192.0.2.1\")", true)]
    [InlineData("// no ping -c 1 here", false)]
    [InlineData("Text = \"No ping came back: widen net.ipv4.ping_group_range.\";", false)]
    [InlineData("Text = \"ping_group_range\";", false)]
    [InlineData("KeepAlivePingDelay = TimeSpan.FromSeconds(5);", false)]
    public void Ping_Started_IsNamed(string line, bool caught) => Catches(SourceRules.NobodyCallsPing, "src/Web/Reachability/IcmpProbe.cs", line, caught);

    [Theory]
    [InlineData("private static int _count;", true)]
    [InlineData("public static FleetSnapshot Current { get; set; } = new();", true)]
    [InlineData("internal static FleetSnapshot? Current { get; private set; }", true)]
    [InlineData("private static readonly Dictionary<string, int> Seen = new();", true)]
    [InlineData("private static readonly ConcurrentDictionary<string, int> Seen = [];", true)]
    [InlineData("[ThreadStatic] private static int t;", true)]
    [InlineData("private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);", false)]
    [InlineData("private static readonly FrozenDictionary<string, int> Words = Make();", false)]
    [InlineData("public static bool operator ==(A a, A b) => true;", false)]
    [InlineData("internal static string Text(int a = 1) => a == 2 ? x : y;", false)]
    [InlineData("public static FleetSnapshot Empty { get; } = new();", false)]
    [InlineData("private static string Name => \"a\";", false)]
    [InlineData("internal static partial class Log", false)]
    public void StaticState_InAnOwner_IsNamed(string line, bool caught)
    {
        Catches(SourceRules.OwnersHaveNoStatics, "src/Web/Fleet/FleetStore.cs", line, caught);
        Catches(SourceRules.OwnersHaveNoStatics, "src/Web/Operations/OperationRunner.cs", line, caught);
        Catches(SourceRules.OwnersHaveNoStatics, "src/Web/Data/HubDatabase.cs", line, caught: false);
    }

    [Theory]
    [InlineData("src/Bgp/Session/BgpSession.cs", 450, false)]
    [InlineData("src/Bgp/Session/BgpSession.cs", 451, true)]
    [InlineData("run.sh", 451, true)]
    [InlineData("src/Web/Data/Migrations/20260101_Initial.cs", 4000, false)]
    public void File_TooLong_IsNamed(string path, int lines, bool caught) =>
        Catches(SourceRules.FilesStayShort, path, string.Concat(Enumerable.Repeat("x\n", lines)), caught);

    [Theory]
    [InlineData("public sealed class ATests(SharedHub shared) : IClassFixture<SharedHub>", true)]
    [InlineData("public sealed class ATests : TlsHubTest", true)]
    [InlineData("await using WholeHub hub = await WholeHub.StartAsync();", true)]
    [InlineData("[Trait(\"Kind\", \"Hub\")]\npublic sealed class ATests : TlsHubTest", false)]
    [InlineData("public void A() => Assert.True(true); // HubUnderTest.StartAsync", false)]
    public void HubInTheQuickLoop_IsNamed(string text, bool caught) => Catches(SourceRules.WholeHubsAreNotInTheQuickLoop, "tests/Web.Tests/Fleet/ATests.cs", text, caught);

    [Theory]
    [InlineData("Thread.Sleep(1);", true)]
    [InlineData("await Task.Delay(10, c);", true)]
    [InlineData("// no Task.Delay(10) here", false)]
    [InlineData("var text = \"Thread.Sleep(1)\";", false)]
    [InlineData("var text = $@\"Thread.Sleep(1) \"\"Thread.Sleep(1)\"\" {x}\";", false)]
    public void Sleep_InATest_IsNamed(string line, bool caught) => Catches(SourceRules.TestsDoNotSleep, "tests/Web.Tests/FleetTests.cs", line, caught);

    [Theory]
    [InlineData("var now = DateTimeOffset.UtcNow;", true)]
    [InlineData("var now = DateTime.Now;", true)]
    [InlineData("var day = DateTime.Today;", true)]
    [InlineData("var now = time.GetUtcNow();", false)]
    [InlineData("/* DateTime.UtcNow */ var now = time.GetUtcNow();", false)]
    public void WallClock_InTheProduct_IsNamed(string line, bool caught) => Catches(SourceRules.TimeIsAValue, "src/Web/Fleet/FleetStore.cs", line, caught);

    [Theory]
    [InlineData("// TO" + "DO: the rest", true)]
    [InlineData("throw new NotImplemented" + "Exception();", true)]
    [InlineData("// What a node is to do", false)]
    public void Leftover_InASource_IsNamed(string line, bool caught) => Catches(SourceRules.NothingIsLeftForLater, "src/Web/Fleet/FleetStore.cs", line, caught);

    [Theory]
    [InlineData("a // b\nc", "a     \nc")]
    [InlineData("a /* b\nc */ d", "a     \n     d")]
    [InlineData("f(\"a\\\"b\", 'c', '\\'', x)", "f(      ,    ,     , x)")]
    [InlineData("x = \"\"\"a \"b\" c\"\"\"; y", "x =              ; y")]
    [InlineData("@\"a\\\" + b", "      + b")]
    [InlineData("don't stop", "don't stop")]
    public void CodeOnly_LeavesCodeAndLineBreaks(string source, string code) => Assert.Equal(code, CSharpText.CodeOnly(source));

    [Fact]
    public void Texts_AreFoundOnTheirLines_AndCommentsAreNone() => Assert.Equal(
        [(1, "a"), (2, "b {x}"), (5, "d\n")],
        CSharpText.TextsOf("f(\"a\", 'q', x); // \"n\"\ng($\"b {x}\") /* \"n\"\n\n*/\nh(\"\"\"d\n\"\"\");"));

    private static void Catches(Func<SourceTree, IEnumerable<string>> rule, string path, string text, bool caught) =>
        Assert.Equal(caught, rule(SourceTree.Of((path, text))).Any(violation => violation.StartsWith(path, StringComparison.Ordinal)));

    [Theory]
    [InlineData("@inject NodeChanges Changes", "")]
    [InlineData("@inject ApiTokens Tokens", "public sealed partial class Page { }")]
    [InlineData("<h1>Users</h1>", "public sealed partial class Page { [Inject] private Accounts Accounts { get; set; } = null!; }")]
    public void ComponentThatNeverAsksTheGate_IsNamed(string markup, string code) =>
        Assert.Contains("never asks PageGate", Assert.Single(SourceRules.ComponentsAskTheGate(SourceTree.Of(("src/Web/Components/Pages/Page.razor", markup), ("src/Web/Components/Pages/Page.razor.cs", code)))), StringComparison.Ordinal);

    [Theory]
    [InlineData("@inject NodeChanges Changes", "if (await Gate.AskAsync(Actor, Policy, What, Leaving) is { } actor) { }")]
    [InlineData("@inject IFleetView Fleet", "")]
    public void ComponentThatAsksTheGateOrChangesNothing_IsLetPass(string markup, string code) =>
        Assert.Empty(SourceRules.ComponentsAskTheGate(SourceTree.Of(("src/Web/Components/Pages/Page.razor", markup), ("src/Web/Components/Pages/Page.razor.cs", code))));
}
