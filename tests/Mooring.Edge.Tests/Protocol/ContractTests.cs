using System.Text.Json;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Tests.Protocol;

public sealed class ContractTests
{
    private static readonly Contract Nested = Contract.Request
        .Required("container_name", ContractType.NonEmptyString)
        .Required("vnics", ContractType.List(Contract.Object.Required("name", ContractType.String).Optional("dns", ContractType.List(ContractType.String))))
        .Optional("interface", ContractType.InterfaceName);

    [Theory]
    [InlineData("String", "\"\"", true)]
    [InlineData("String", "\"a\"", true)]
    [InlineData("String", "true", false)]
    [InlineData("String", "1", false)]
    [InlineData("String", "null", false)]
    [InlineData("NonEmptyString", "\"a\"", true)]
    [InlineData("NonEmptyString", "\"  \"", false)]
    [InlineData("NonEmptyString", "\"\"", false)]
    [InlineData("Number", "1", true)]
    [InlineData("Number", "1.5", true)]
    [InlineData("Number", "true", true)]
    [InlineData("Number", "\"1\"", false)]
    [InlineData("Number", "null", false)]
    [InlineData("Boolean", "false", true)]
    [InlineData("Boolean", "0", false)]
    [InlineData("Boolean", "\"true\"", false)]
    [InlineData("InterfaceName", "\"enp0s31f6.1-2_a\"", true)]
    [InlineData("InterfaceName", "\"abcdefghijklmno\"", true)]
    [InlineData("InterfaceName", "\"abcdefghijklmnop\"", false)]
    [InlineData("InterfaceName", "\"\"", false)]
    [InlineData("InterfaceName", "\"eth 0\"", false)]
    [InlineData("InterfaceName", "\"eth/0\"", false)]
    [InlineData("InterfaceName", "\"eth0;reboot\"", false)]
    [InlineData("InterfaceName", "\"eth0\\n\"", false)]
    [InlineData("ContainerName", "\"plc-1\"", true)]
    [InlineData("ContainerName", "\"a\"", false)]
    [InlineData("ContainerName", "\"-x\"", false)]
    [InlineData("ListOfStrings", "[]", true)]
    [InlineData("ListOfStrings", "[\"a\"]", true)]
    [InlineData("ListOfStrings", "[1]", false)]
    [InlineData("ListOfStrings", "{}", false)]
    public void Type_AcceptsAndRejects(string type, string json, bool accepted)
    {
        ContractType contractType = type switch
        {
            "String" => ContractType.String,
            "NonEmptyString" => ContractType.NonEmptyString,
            "Number" => ContractType.Number,
            "Boolean" => ContractType.Boolean,
            "InterfaceName" => ContractType.InterfaceName,
            "ContainerName" => ContractType.ContainerName,
            _ => ContractType.List(ContractType.String),
        };
        Assert.Equal(accepted, contractType.Check(JsonDocument.Parse(json).RootElement, "x") is null);
    }

    [Theory]
    [InlineData("2026-11-21", true)]
    [InlineData("20261121", true)]
    [InlineData("2026-W47-6", true)]
    [InlineData("2026-W54-1", false)]
    [InlineData("2026-11-21T06:42:14", true)]
    [InlineData("2026-11-21 06:42", true)]
    [InlineData("2026-11-21T06", true)]
    [InlineData("2026-11-21T06:42:14.123456", true)]
    [InlineData("2026-11-21T06:42:14,5", true)]
    [InlineData("2026-11-21T06:42:14Z", true)]
    [InlineData("2026-11-21T06:42:14+02:00", true)]
    [InlineData("2026-11-21T06:42:14-0330", true)]
    [InlineData("20261121T064214Z", true)]
    [InlineData("2026-02-29", false)]
    [InlineData("2024-02-29", true)]
    [InlineData("2026-13-01", false)]
    [InlineData("2026-11-21T24:00:00", false)]
    [InlineData("2026-11-21T06:60", false)]
    [InlineData("2026-11-21T", false)]
    [InlineData("21.11.2026", false)]
    [InlineData("yesterday", false)]
    [InlineData("", false)]
    [InlineData("٢٠٢٦-11-21", false)]
    public void Date_IsIso8601(string text, bool valid) => Assert.Equal(valid, IsoDate.IsValid(text));

    [Theory]
    [InlineData("""{"container_name":"a","vnics":[]}""", null)]
    [InlineData("""{"container_name":"a","vnics":[{"name":"x","dns":null}],"interface":null,"extra":{}}""", null)]
    [InlineData("""{"vnics":[]}""", "Missing required field: \"Missing key: container_name\"")]
    [InlineData("""{"container_name":null,"vnics":[]}""", "Invalid field type: expected a non-empty string: container_name")]
    [InlineData("""{"container_name":"a","vnics":[{"name":"x"},{}]}""", "Missing required field: \"Missing key: vnics[1].name\"")]
    [InlineData("""{"container_name":"a","vnics":["name"]}""", "Invalid field type: expected an object: vnics[0]")]
    [InlineData("""{"container_name":"a","vnics":[{"name":"x","dns":[1]}]}""", "Invalid field type: expected a string: vnics[0].dns[0]")]
    [InlineData("""{"correlation_id":"7","container_name":"a","vnics":[]}""", "Invalid field type: expected a number: correlation_id")]
    [InlineData("""{"requested_at":"now","container_name":"a","vnics":[]}""", "Invalid field type: expected an ISO date-time: requested_at")]
    [InlineData("""{"container_name":"a","vnics":[],"interface":"a b"}""", "Invalid field type: expected an interface name: interface")]
    [InlineData("[]", "Validation error: message must be an object")]
    public void Contract_TellsTheFirstFailureWithItsPath(string json, string? expected) =>
        Assert.Equal(expected, Nested.Check(JsonDocument.Parse(json).RootElement, "")?.Message);

    [Fact]
    public void DeviceRequest_DemandsADevice()
    {
        Assert.Equal("device_id", Contract.DeviceRequest.Check(JsonDocument.Parse("{}").RootElement, "")?.Field);
        Assert.Equal("invalid_type", Contract.DeviceRequest.Check(JsonDocument.Parse("""{"device_id":" "}""").RootElement, "")?.Code);
    }
}
