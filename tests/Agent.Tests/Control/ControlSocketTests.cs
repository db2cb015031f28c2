using System.Net.Sockets;
using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Tests.Control;

public sealed class ControlSocketTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Place => _directory.At("control.sock");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Opened_IsForItsUserOnly_AndGoesWithTheAgent()
    {
        using (Open())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Place));
            using var client = Connect();
            Assert.True(client.Connected);
        }

        Assert.False(File.Exists(Place));
    }

    [Fact]
    public void SocketOfADeadProcess_IsReplaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Place));
            File.Move(Place, _directory.At("kept"));
        }

        File.Move(_directory.At("kept"), Place);
        Assert.True(SocketFile.Look(Place, throughLinks: false)!.IsSocket);
        Assert.Throws<SocketException>(Connect);

        using var socket = Open();
        using var client = Connect();
        Assert.True(client.Connected);
    }

    [Fact]
    public void SocketOfALivingAgent_IsLeftAlone()
    {
        using var first = Open();

        Assert.NotNull(ControlSocket.Open(Place).Problem);
        using var client = Connect();
        Assert.True(client.Connected);
    }

    [Fact]
    public void SocketOfAnotherLivingProgram_IsLeftAlone()
    {
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(Place));
        other.Listen(0);
        using var waiting = Connect();

        Assert.Contains("another process answers there", ControlSocket.Open(Place).Problem, StringComparison.Ordinal);
        Assert.True(File.Exists(Place));
    }

    [Fact]
    public void FileThatIsNoSocket_IsLeftAlone()
    {
        File.WriteAllText(Place, "precious");

        Assert.Contains("no socket", ControlSocket.Open(Place).Problem, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Place));
    }

    [Fact]
    public void LinkToAFile_IsNotFollowed()
    {
        File.WriteAllText(_directory.At("precious"), "precious");
        File.CreateSymbolicLink(Place, _directory.At("precious"));

        Assert.Contains("no socket", ControlSocket.Open(Place).Problem, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Place));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite | UnixFileMode.StickyBit)]
    public void DirectoryThatOthersMayWrite_IsRefused(UnixFileMode others)
    {
        File.SetUnixFileMode(_directory.Root, File.GetUnixFileMode(_directory.Root) | others);

        Assert.Contains("others may write", ControlSocket.Open(Place).Problem, StringComparison.Ordinal);
        Assert.False(File.Exists(Place));
    }

    [Fact]
    public void NoSuchDirectory_OrPathTooLong_IsAProblemInWords()
    {
        Assert.Contains("there is no directory", ControlSocket.Open(_directory.At("no/control.sock")).Problem, StringComparison.Ordinal);
        Assert.Contains("at most 107 octets", ControlSocket.Open(_directory.At(new string('x', 108))).Problem, StringComparison.Ordinal);
    }

    private ControlSocket Open()
    {
        var (socket, problem) = ControlSocket.Open(Place);
        Assert.Null(problem);
        return socket!;
    }

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(Place));
            return client;
        }
        catch (SocketException)
        {
            client.Dispose();
            throw;
        }
    }
}
