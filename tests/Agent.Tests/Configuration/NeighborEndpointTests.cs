using FailoverHub.Agent.Configuration;

namespace FailoverHub.Agent.Tests.Configuration;

public sealed class NeighborEndpointTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1:179", "192.0.2.1")]
    [InlineData("192.0.2.1:1790", "192.0.2.1:1790")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("[2001:db8::1]", "2001:db8::1")]
    [InlineData("[2001:db8::1]:179", "2001:db8::1")]
    [InlineData("[2001:db8::1]:1790", "[2001:db8::1]:1790")]
    public void Address_WithOrWithoutPort_IsShownWithThePortWhenItIsNotBgps(string text, string shown)
    {
        Assert.True(NeighborEndpoint.TryParse(text, NeighborEndpoint.DefaultPort, out var endpoint));
        Assert.Equal(shown, endpoint.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("host")]
    [InlineData("192.0.2.1:")]
    [InlineData("192.0.2.1:0")]
    [InlineData("192.0.2.1:-1")]
    [InlineData("[2001:db8::1")]
    [InlineData("[2001:db8::1]1790")]
    [InlineData("[2001:db8::1]:x")]
    [InlineData("192.0.2.010")]
    [InlineData("192.0.2")]
    [InlineData("0xc0.0.2.1")]
    public void NoAddress_IsRefused(string text)
    {
        Assert.False(NeighborEndpoint.TryParse(text, NeighborEndpoint.DefaultPort, out _));
    }
}
