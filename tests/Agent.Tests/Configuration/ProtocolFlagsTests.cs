using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Tests.Configuration;

/// <summary>The flags that ask for more than the platform is known to support, and the files with secrets.</summary>
public sealed class ProtocolFlagsTests : IDisposable
{
    private const string Vendor = "-dcid 18 -primary";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/run/credentials/x.service/md5", "/run/credentials/x.service", true)]
    [InlineData("/run/credentials/x.service/md5", "/run/credentials/x.service/", true)]
    [InlineData("/run/credentials/x.service/../y.service/md5", "/run/credentials/x.service", false)]
    [InlineData("/run/credentials/x.service2/md5", "/run/credentials/x.service", false)]
    [InlineData("/etc/md5", "", false)]
    [InlineData("/etc/md5", null, false)]
    public void KeyFile_OfSystemdsCredentials_MayBeReadByItsGroup_AndNoOther(string path, string? credentials, bool may)
    {
        var forbidden = KeyFile.ForbiddenFor(path, credentials);

        Assert.Equal(!may, forbidden.HasFlag(UnixFileMode.GroupRead));
        Assert.True(forbidden.HasFlag(UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite));
    }

    [Fact]
    public void NothingGiven_NothingBeyondThePlatformIsAskedFor_AndDampingIsOn()
    {
        var options = Accept(Vendor);

        Assert.Empty(options.Protocol.LargeCommunities);
        Assert.Equal(new ProtocolOptions { LargeCommunities = options.Protocol.LargeCommunities }, options.Protocol);
        Assert.True(options.Damping);
        Assert.Equal("/var/lib/failoverhub-agent/control.sock", options.ControlSocket);
    }

    [Fact]
    public void AllOfThem_AreObeyed()
    {
        var options = Accept(
            $"{Vendor} --ttl-security 3 --extended-messages --enhanced-route-refresh --graceful-restart-helper --send-hold-time 20 "
            + "--large-community 64500:9:1 --large-community 4294967295:0:7 --large-community 64500:1:2 --graceful-shutdown 15 --damping off --control /run/x/agent.sock");

        Assert.Equal(3, options.Protocol.TtlSecurity);
        Assert.True(options.Protocol is { ExtendedMessages: true, EnhancedRouteRefresh: true, GracefulRestartHelper: true });
        Assert.Equal(TimeSpan.FromSeconds(20), options.Protocol.SendHoldTime);
        Assert.Equal([new LargeCommunity(64500, 1, 2), new LargeCommunity(64500, 9, 1), new LargeCommunity(uint.MaxValue, 0, 7)], options.Protocol.LargeCommunities);
        Assert.Equal(TimeSpan.FromSeconds(15), options.Protocol.GracefulShutdown);
        Assert.False(options.Damping);
        Assert.Equal("/run/x/agent.sock", options.ControlSocket);
    }

    [Fact]
    public void SendHoldTimeZero_SwitchesItOff() => Assert.Equal(TimeSpan.Zero, Accept($"{Vendor} --send-hold-time 0").Protocol.SendHoldTime);

    [Fact]
    public void StateDirectoryGiven_TheControlIsInIt() =>
        Assert.Equal("/var/tmp/x/control.sock", Accept($"{Vendor} --state /var/tmp/x").ControlSocket);

    [Theory]
    [InlineData("--ttl-security 0", "--ttl-security")]
    [InlineData("--ttl-security 255", "--ttl-security")]
    [InlineData("--ttl-security 3 --multihopttl 16", "give only one of the two")]
    [InlineData("--send-hold-time 9", "not longer than the hold time of 9 s")]
    [InlineData("--send-hold-time -1", "--send-hold-time")]
    [InlineData("--hold-time 30 --send-hold-time 30", "not longer than the hold time of 30 s")]
    [InlineData("--large-community 1:2", "--large-community")]
    [InlineData("--large-community 4294967296:0:0", "--large-community")]
    [InlineData("--large-community 1:2:3 --large-community 1:2:3", "given twice")]
    [InlineData("--graceful-shutdown 601", "--graceful-shutdown")]
    [InlineData("--damping maybe", "--damping")]
    [InlineData("--probing maybe", "--probing: 'maybe' is neither; give on or off.")]
    [InlineData("--md5-key-file /nowhere/key", "--md5-key-file: '/nowhere/key' cannot be read")]
    [InlineData("--md5-key-file / ", "--md5-key-file: '/' cannot be read")]
    [InlineData("--md5-key-file /a --tcp-ao-key-file /b", "--md5-key-file and --tcp-ao-key-file are both given")]
    public void CannotBeObeyed_NamesTheFlagAndWhatToDo(string flags, string named) =>
        Assert.Contains(named, Refuse($"{Vendor} {flags}"), StringComparison.Ordinal);

    [Fact]
    public void SeveralMistakes_AreReportedAtOnce()
    {
        var error = Refuse($"{Vendor} --ttl-security x --send-hold-time 1 --large-community 1 --graceful-shutdown -1 --damping 1 --md5-key-file {Secret("")}");

        Assert.Equal(6, error.Split('\n').Count(line => line.StartsWith("error: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("s3cret", "s3cret")]
    [InlineData("s3cret\n", "s3cret")]
    [InlineData("s3cret\r\n", "s3cret")]
    [InlineData("s3cret\n\n", "s3cret\n")]
    [InlineData(" s3cret ", " s3cret ")]
    public void Md5Key_IsTheFile_WithoutOneLineEnd(string content, string key)
    {
        var options = Accept($"{Vendor} --md5-key-file {Secret(content)}");

        var authentication = Assert.IsType<TcpMd5>(options.Protocol.Authentication);
        Assert.True(authentication.Key.SequenceEqual(System.Text.Encoding.UTF8.GetBytes(key)));
        Assert.DoesNotContain("s3cret", options.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Md5Key_Empty_OrLongerThanTheKernelTakes_IsRefused()
    {
        Assert.Contains("empty", Refuse($"{Vendor} --md5-key-file {Secret("\n")}"), StringComparison.Ordinal);
        Assert.Contains("at most 80", Refuse($"{Vendor} --md5-key-file {Secret(new string('k', 81))}"), StringComparison.Ordinal);
        Assert.Contains("cannot be a key file", Refuse($"{Vendor} --md5-key-file {Secret(new string('k', 5000))}"), StringComparison.Ordinal);
        Assert.Equal(80, Accept($"{Vendor} --md5-key-file {Secret(new string('k', 80) + "\n")}").Protocol.Authentication!.Key.Length);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void KeyFile_OpenToOthers_IsRefused_AndSaysWhatToDo(UnixFileMode others)
    {
        var path = Secret("s3cret");
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | others);

        Assert.Contains($"chmod 600 '{path}'", Refuse($"{Vendor} --md5-key-file {path}"), StringComparison.Ordinal);
        Assert.Contains($"chmod 600 '{path}'", Refuse($"{Vendor} --tcp-ao-key-file {path}"), StringComparison.Ordinal);
    }

    [Fact]
    public void TcpAoKey_IsReadFromItsLines()
    {
        var path = Secret("# both nodes of the pair\n\nkey   s3cret with spaces \r\nsend-id\t100\nreceive-id 7\nalgorithm aes-128-cmac\n");

        var authentication = Assert.IsType<TcpAo>(Accept($"{Vendor} --tcp-ao-key-file {path}").Protocol.Authentication);
        Assert.True(authentication.Key.SequenceEqual("s3cret with spaces"u8));
        Assert.Equal(((byte)100, (byte)7, TcpAoAlgorithm.AesCmac128), (authentication.SendId, authentication.ReceiveId, authentication.Algorithm));
    }

    [Fact]
    public void TcpAoKey_NoAlgorithm_IsHmacSha1() =>
        Assert.Equal(TcpAoAlgorithm.HmacSha1, Assert.IsType<TcpAo>(Accept($"{Vendor} --tcp-ao-key-file {Secret("key k\nsend-id 1\nreceive-id 1")}").Protocol.Authentication).Algorithm);

    [Theory]
    [InlineData("s3cret", "line 1 is not understood")]
    [InlineData("key s3cret\nsend-id 256\nreceive-id 1", "line 2 is not understood")]
    [InlineData("key s3cret\nsend-id 1\nsend-id 1", "line 3 is not understood")]
    [InlineData("key s3cret\nsend-id 1\nreceive-id 1\nalgorithm md5", "line 4 is not understood")]
    [InlineData("key s3cret", "no line for send-id, receive-id")]
    [InlineData("key\nsend-id 1\nreceive-id 1", "the key is empty")]
    [InlineData("", "no line for key, send-id, receive-id")]
    public void TcpAoKey_Malformed_NamesTheLine_AndNeverWhatStandsInIt(string content, string named)
    {
        var error = Refuse($"{Vendor} --tcp-ao-key-file {Secret(content)}");

        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
    }

    private string Secret(string content)
    {
        var path = _directory.At($"key-{Guid.NewGuid():N}");
        using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
        return path;
    }

    private static AgentOptions Accept(string line)
    {
        using var error = new StringWriter();
        var request = new AgentCommandLine().Read(Words(line), "host-1", TextWriter.Null, error);
        Assert.True(request is CommandLineRequest.Run, error.ToString());
        return ((CommandLineRequest.Run)request).Options;
    }

    private static string Refuse(string line)
    {
        using var error = new StringWriter();
        Assert.Equal(new CommandLineRequest.Exit(AgentCommandLine.UsageError), new AgentCommandLine().Read(Words(line), "host-1", TextWriter.Null, error));
        return error.ToString();
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
