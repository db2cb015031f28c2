using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;

namespace FailoverHub.Agent.Tests.Configuration;

/// <summary>Who puts the addresses on an interface.</summary>
public sealed class AddressFlagsTests
{
    [Theory]
    [InlineData(null, null, AddressMode.Watched)]
    [InlineData("watched", null, AddressMode.Watched)]
    [InlineData("managed", null, AddressMode.Managed)]
    [InlineData("managed", "shared0", AddressMode.Managed)]
    public void Given_IsObeyed(string? addresses, string? device, object mode)
    {
        var (options, errors) = Read(addresses, device);

        Assert.Empty(errors);
        Assert.Equal(new AddressOptions { Mode = (AddressMode)mode, Device = device }, options!.Addresses);
    }

    [Theory]
    [InlineData("Managed", null, "--addresses: 'Managed' is neither")]
    [InlineData(null, "shared0", "--address-device: nothing is put on shared0")]
    [InlineData("managed", "", "--address-device: ''")]
    [InlineData("managed", "..", "--address-device: '..'")]
    [InlineData("managed", "a b", "--address-device: 'a b'")]
    [InlineData("managed", "../etc", "--address-device: '../etc'")]
    [InlineData("managed", "sixteen-letters1", "--address-device: 'sixteen-letters1'")]
    public void CannotBeObeyed_NamesTheFlagAndWhatToDo(string? addresses, string? device, string named) =>
        Assert.Contains(named, Assert.Single(Read(addresses, device).Errors), StringComparison.Ordinal);

    private static (AgentOptions? Options, IReadOnlyList<string> Errors) Read(string? addresses, string? device)
    {
        var (options, errors) = AgentOptionsReader.Read(new RawArguments { DataCenter = "18", Primary = true, Addresses = addresses, AddressDevice = device }, "node-a");
        return (options, errors);
    }
}
